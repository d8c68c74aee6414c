# SPDX-License-Identifier: BSD-2-Clause
passwd after=files ksa
group after=files ksa
