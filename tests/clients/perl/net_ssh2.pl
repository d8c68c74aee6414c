# SPDX-License-Identifier: BSD-2-Clause
# auth() with the token as the password would do, but not show why a token is refused.
use strict;
use warnings;
use Net::SSH2;

open(my $file, '<', 'token') or die "token: $!\n";
chomp(my $token = <$file>);
my $ssh = Net::SSH2->new;
$ssh->connect('build-7') or $ssh->die_with_error;
$ssh->check_hostkey('strict') or $ssh->die_with_error;
$ssh->auth_keyboard('deploy-bot', sub {
    my ($self, $user, $name, $instruction, @prompts) = @_;
    print STDERR $instruction if defined $instruction;
    return map { $token } @prompts;
}) or $ssh->die_with_error;
my $command = $ssh->channel or $ssh->die_with_error;
$command->exec('id -un') or $ssh->die_with_error;
print while <$command>;
