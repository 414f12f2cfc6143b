#!/bin/sh
# build.sh [FOLDER]: builds every contract here, for both machines, beside its source or into FOLDER.
# Debian 12: apt-get install clang lld gcc-riscv64-unknown-elf
#
# wasm-ld is called by itself, because clang would hand its output to any wasm-opt that it finds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
into=${1:-$here}
object=$(mktemp)
trap 'rm "$object"' EXIT

for contract in calculator erc20 forwarder; do
  mkdir -p "$into/$contract"
  clang --target=wasm32 -std=c11 -Os -Wall -Wextra -ffreestanding -mbulk-memory -c -o "$object" "$here/$contract/$contract.c"
  wasm-ld --no-entry --strip-all --compress-relocations --stack-first -z stack-size=8192 -o "$into/$contract/$contract.wasm" "$object"
  riscv64-unknown-elf-gcc -march=rv64imc -mabi=lp64 -std=c11 -Os -Wall -Wextra -ffreestanding -nostdlib -static \
    -ffunction-sections -fdata-sections -Wl,--gc-sections -Wl,--strip-all -Wl,--build-id=none \
    -Wl,-z,max-page-size=16 -Wl,-T,"$here/riscv.ld" -o "$into/$contract/$contract.riscv.elf" "$here/$contract/$contract.c"
  chmod 644 "$into/$contract/$contract."*
done
