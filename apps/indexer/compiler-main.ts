// The compiler's process: solc is a large program of others, and what it is given comes from strangers. It reads one request from its standard
// input, writes one answer, and ends. Whoever starts it sets limits of time, memory, files and network.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

type Solc = { readonly compile: (input: string) => string; readonly version: () => string };

const [wrapperPath, compilerPath] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const wrap = require(wrapperPath!) as (compiler: unknown) => Solc;
const solc = wrap(require(compilerPath!));
const input = await text(process.stdin);
const answer = input === "" ? JSON.stringify(solc.version()) : solc.compile(input);
process.stdout.write(answer, () => process.exit(0));
