# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use Net::OpenSSH;

my $ssh = Net::OpenSSH->new('deploy-bot@build-7', ssh_cmd => '/usr/bin/ksa-ssh', strict_mode => 1);
$ssh->error and die $ssh->error, "\n";
print $ssh->capture('id -un');
