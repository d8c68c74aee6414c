// SPDX-License-Identifier: BSD-2-Clause
import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;
import com.jcraft.jsch.UIKeyboardInteractive;
import com.jcraft.jsch.UserInfo;
import java.nio.file.Files;
import java.nio.file.Path;

/** JSch answers a prompt for a password with the session's; the reason of a refusal is an instruction without prompts. */
public class JschLogin {
    static class Messages implements UserInfo, UIKeyboardInteractive {
        public String[] promptKeyboardInteractive(String destination, String name, String instruction, String[] prompts, boolean[] echo) {
            System.err.println(instruction);
            return null;
        }

        public String getPassphrase() {
            return null;
        }

        public String getPassword() {
            return null;
        }

        public boolean promptPassphrase(String message) {
            return false;
        }

        public boolean promptPassword(String message) {
            return false;
        }

        public boolean promptYesNo(String message) {
            return false;
        }

        public void showMessage(String message) {
            System.err.println(message);
        }
    }

    public static void main(String[] arguments) throws Exception {
        JSch ssh = new JSch();
        ssh.setKnownHosts(".ssh/known_hosts");
        Session session = ssh.getSession("deploy-bot", "build-7");
        session.setPassword(Files.readString(Path.of("token")).strip());
        session.setConfig("MaxAuthTries", "1");
        session.setUserInfo(new Messages());
        session.connect();
        ChannelExec command = (ChannelExec) session.openChannel("exec");
        command.setCommand("id -un");
        var output = command.getInputStream();
        command.connect();
        output.transferTo(System.out);
        session.disconnect();
    }
}
