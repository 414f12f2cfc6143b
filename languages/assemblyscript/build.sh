#!/bin/sh
# build.sh [FOLDER]: builds every contract here beside its source or into FOLDER. The compiler is in node_modules (npm install).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
into=${1:-$here}
asc=${ASC:-$here/../../node_modules/assemblyscript/bin/asc.js}

cd "$here"
for contract in calculator erc20 forwarder; do
  mkdir -p "$into/$contract"
  node "$asc" "$contract/$contract.ts" --outFile "$into/$contract/$contract.wasm" --runtime stub \
    --use abort=ostrom/onAbort --exportStart _initialize -Osize --noAssert
done
