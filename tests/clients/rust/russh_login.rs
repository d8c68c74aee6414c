// SPDX-License-Identifier: BSD-2-Clause
//! russh: answers every prompt with the token, and prints the host's messages.
use russh::client::{self, KeyboardInteractiveAuthResponse as Response};
use russh::keys::{check_known_hosts_path, PublicKeyOrCertificate};
use russh::ChannelMsg;
use std::{error::Error, fs, sync::Arc};

struct Host;

impl client::Handler for Host {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => Ok(check_known_hosts_path("build-7", 22, key, ".ssh/known_hosts")?),
            PublicKeyOrCertificate::Certificate(_) => Ok(false),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let token = fs::read_to_string("token")?.trim().to_string();
    let mut session = client::connect(Arc::default(), ("build-7", 22), Host).await?;
    let mut response = session.authenticate_keyboard_interactive_start("deploy-bot", None).await?;
    while let Response::InfoRequest { instructions, prompts, .. } = response {
        eprint!("{instructions}");
        let answers = prompts.iter().map(|_| token.clone()).collect();
        response = session.authenticate_keyboard_interactive_respond(answers).await?;
    }
    if !matches!(response, Response::Success) {
        return Err("the host refused the token".into());
    }
    let mut channel = session.channel_open_session().await?;
    channel.exec(true, "id -un").await?;
    while let Some(message) = channel.wait().await {
        if let ChannelMsg::Data { data } = message {
            print!("{}", String::from_utf8_lossy(&data));
        }
    }
    Ok(())
}
