// SPDX-License-Identifier: BSD-2-Clause
import java.nio.file.Files;
import java.nio.file.Path;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.userauth.method.AuthKeyboardInteractive;
import net.schmizz.sshj.userauth.method.PasswordResponseProvider;
import net.schmizz.sshj.userauth.password.PasswordUtils;
import net.schmizz.sshj.userauth.password.Resource;

/** authPassword() would do, but not show why a token is refused. */
public class SshjLogin {
    public static void main(String[] arguments) throws Exception {
        String token = Files.readString(Path.of("token")).strip();
        var answers = new PasswordResponseProvider(PasswordUtils.createOneOff(token.toCharArray())) {
            @Override
            public void init(Resource host, String name, String instruction) {
                super.init(host, name, instruction);
                System.err.println(instruction);
            }
        };
        try (SSHClient ssh = new SSHClient()) {
            ssh.loadKnownHosts(Path.of(".ssh/known_hosts").toFile());
            ssh.connect("build-7");
            ssh.auth("deploy-bot", new AuthKeyboardInteractive(answers));
            try (var session = ssh.startSession()) {
                session.exec("id -un").getInputStream().transferTo(System.out);
            }
        }
    }
}
