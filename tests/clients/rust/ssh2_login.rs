// SPDX-License-Identifier: BSD-2-Clause
//! libssh2.
use ssh2::{CheckResult, KeyboardInteractivePrompt, KnownHostFileKind, Prompt, Session};
use std::{error::Error, fs, io::Read, net::TcpStream, path::Path};

struct Token(String);

impl KeyboardInteractivePrompt for Token {
    /// With no prompts, the instructions are a message of the host.
    fn prompt<'a>(&mut self, _user: &str, instructions: &str, prompts: &[Prompt<'a>]) -> Vec<String> {
        eprint!("{instructions}");
        prompts.iter().map(|_| self.0.clone()).collect()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut session = Session::new()?;
    session.set_tcp_stream(TcpStream::connect("build-7:22")?);
    session.handshake()?;
    let mut known = session.known_hosts()?;
    known.read_file(Path::new(".ssh/known_hosts"), KnownHostFileKind::OpenSSH)?;
    let (key, _) = session.host_key().ok_or("no host key")?;
    if !matches!(known.check("build-7", key), CheckResult::Match) {
        return Err("unknown host key".into());
    }
    let token = fs::read_to_string("token")?.trim().to_string();
    session.userauth_keyboard_interactive("deploy-bot", &mut Token(token))?;
    let mut channel = session.channel_session()?;
    channel.exec("id -un")?;
    let mut output = String::new();
    channel.read_to_string(&mut output)?;
    print!("{output}");
    Ok(())
}
