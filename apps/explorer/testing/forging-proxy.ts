import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Changes what a node answers to a method. Whatever it leaves alone it gives back. */
export type Forgery = (method: string, result: unknown) => unknown;

/** A console between the browser and the real one: it passes everything on, and lies where it is told to. */
export type ForgingProxy = {
  readonly url: string;
  /** From now on: which nodes lie (by their number; all unless told), and how. undefined: none. */
  readonly forge: (forgery: Forgery | undefined, nodes?: readonly number[]) => void;
  /** Changes console.json. */
  readonly describe: (change: ((description: Description) => Description) | undefined) => void;
  readonly close: () => Promise<void>;
};

export type Description = Readonly<Record<string, unknown>>;

type Call = { readonly id: unknown; readonly method: string };
type Answer = { readonly id: unknown; readonly result?: unknown };

const RPC_PATH = /^\/rpc\/(\d+)$/;
const PASSED_HEADERS = ["content-type", "content-security-policy", "cache-control"];

/** @param target address of the real console. */
export async function startForgingProxy(target: string): Promise<ForgingProxy> {
  let forgery: Forgery | undefined;
  let liars: readonly number[] | undefined;
  let change: ((description: Description) => Description) | undefined;
  const alter = (path: string, request: Buffer, answer: Buffer): Buffer | string => {
    if (path === "/console.json" && change !== undefined) {
      return JSON.stringify(change(JSON.parse(answer.toString()) as Description));
    }
    const node = RPC_PATH.exec(path)?.[1];
    const lies = node !== undefined && (liars === undefined || liars.includes(Number(node)));
    return lies && forgery !== undefined ? forgeAnswers(forgery, request, answer) : answer;
  };
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    readAll(request)
      .then(async (body) => {
        const passed = await fetch(`${target}${path}`, {
          method: request.method ?? "GET",
          headers: {
            "content-type": request.headers["content-type"] ?? "",
            accept: request.headers.accept ?? "",
          },
          ...(request.method === "POST" ? { body: new Uint8Array(body) } : {}),
        });
        const answer = Buffer.from(await passed.arrayBuffer());
        const headers = PASSED_HEADERS.flatMap((name) => {
          const value = passed.headers.get(name);
          return value === null ? [] : [[name, value] as const];
        });
        // A browser that asks for a WebSocket sends no question.
        const shown = body.length === 0 && RPC_PATH.test(path) ? answer : alter(path, body, answer);
        response.writeHead(passed.status, Object.fromEntries(headers)).end(shown);
      })
      .catch(() => response.writeHead(502).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forge: (next, nodes) => {
      forgery = next;
      liars = nodes;
    },
    describe: (next) => {
      change = next;
    },
    close: () => closeServer(server),
  };
}

function forgeAnswers(forgery: Forgery, request: Buffer, answer: Buffer): string {
  const calls = JSON.parse(request.toString()) as Call | readonly Call[];
  const answers = JSON.parse(answer.toString()) as Answer | readonly Answer[];
  const methods = new Map(
    (Array.isArray(calls) ? calls : [calls]).map(({ id, method }: Call) => [id, method]),
  );
  const forgeOne = (one: Answer): Answer =>
    one.result === undefined ? one : { ...one, result: forgery(methods.get(one.id) ?? "", one.result) };
  return JSON.stringify(Array.isArray(answers) ? answers.map(forgeOne) : forgeOne(answers as Answer));
}

/** One bit of one digit of a hex text, counted from its end. */
export function flipDigit(text: string, fromEnd: number): string {
  const at = text.length - 1 - fromEnd;
  const digit = (Number.parseInt(text[at] ?? "0", 16) ^ 1).toString(16);
  return `${text.slice(0, at)}${digit}${text.slice(at + 1)}`;
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
