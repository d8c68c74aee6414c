// SPDX-License-Identifier: BSD-2-Clause

// The last version of x/crypto that Go 1.19 of Debian 12 compiles.
module ksa-tests/clients

go 1.18

require golang.org/x/crypto v0.23.0

require golang.org/x/sys v0.20.0 // indirect
