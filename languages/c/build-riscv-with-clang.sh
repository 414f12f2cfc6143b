#!/bin/sh
# build-riscv-with-clang.sh FOLDER: builds every contract here for RISC-V, into FOLDER, where gcc for RISC-V is missing.
# Debian 12: apt-get install clang lld
set -eu
here=$(cd "$(dirname "$0")" && pwd)

for contract in calculator erc20 forwarder; do
  mkdir -p "$1/$contract"
  clang --target=riscv64 -march=rv64imc -mabi=lp64 -std=c11 -Os -Wall -Wextra -ffreestanding -nostdlib -static -fuse-ld=lld \
    -ffunction-sections -fdata-sections -Wl,--gc-sections -Wl,--strip-all -Wl,-z,max-page-size=16 -Wl,-T,"$here/riscv.ld" \
    -o "$1/$contract/$contract.riscv.elf" "$here/$contract/$contract.c"
done
