// SPDX-License-Identifier: BSD-2-Clause
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.KnownHostsServerKeyVerifier;
import org.apache.sshd.client.keyverifier.RejectAllServerKeyVerifier;

/** Apache MINA SSHD passes no instruction without prompts to its UserInteraction: the reason of a refusal is lost. */
public class MinaLogin {
    public static void main(String[] arguments) throws Exception {
        Duration limit = Duration.ofSeconds(60);
        try (SshClient ssh = SshClient.setUpDefaultClient()) {
            ssh.setServerKeyVerifier(new KnownHostsServerKeyVerifier(RejectAllServerKeyVerifier.INSTANCE, Path.of("known_hosts")));
            ssh.start();
            try (var session = ssh.connect("deploy-bot", "build-7", 22).verify(limit).getSession()) {
                session.addPasswordIdentity(Files.readString(Path.of("token")).strip());
                session.auth().verify(limit);
                System.out.print(session.executeRemoteCommand("id -un"));
            }
        }
    }
}
