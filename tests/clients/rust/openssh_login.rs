// SPDX-License-Identifier: BSD-2-Clause
//! The crate starts ssh, the first one in PATH. That one reads SSH_ASKPASS and the options of `ksa-askpass --ssh-config`.
use openssh::{KnownHosts, SessionBuilder};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = SessionBuilder::default()
        .known_hosts_check(KnownHosts::Strict)
        .connect("ssh://deploy-bot@build-7")
        .await?;
    let output = session.command("id").arg("-un").output().await?;
    print!("{}", String::from_utf8(output.stdout)?);
    session.close().await?;
    Ok(())
}
