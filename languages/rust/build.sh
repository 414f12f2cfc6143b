#!/bin/sh
# build.sh [FOLDER]: builds every contract here beside its source or into FOLDER.
# Debian 12: apt-get install rustc libstd-rust-dev-wasm32
set -eu
here=$(cd "$(dirname "$0")" && pwd)
into=${1:-$here}
rustc=${RUSTC:-/usr/bin/rustc}
crate=$(mktemp -d)
trap 'rm -r "$crate"' EXIT
flags="--edition 2021 --target wasm32-unknown-unknown -C opt-level=s -C panic=abort -C embed-bitcode=yes -C target-feature=+bulk-memory --remap-path-prefix=$here=. --remap-path-prefix=$crate=."

$rustc $flags --crate-type rlib --crate-name ostrom -o "$crate/libostrom.rlib" "$here/ostrom.rs"
for contract in calculator erc20 forwarder; do
  mkdir -p "$into/$contract"
  $rustc $flags --crate-type cdylib -C lto=fat -C strip=symbols -C link-arg=-zstack-size=16384 -C link-arg=--compress-relocations -C link-arg=--strip-all \
    --extern ostrom="$crate/libostrom.rlib" -o "$into/$contract/$contract.wasm" "$here/$contract/$contract.rs"
  chmod 644 "$into/$contract/$contract."*
done
