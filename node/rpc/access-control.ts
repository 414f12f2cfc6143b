import { type Address, type Bytes, type Hash, toHex, utf8 } from "@ostrom/base";
import { sha256 } from "@ostrom/crypto";
import {
  type AccessClass,
  type AccessReads,
  type AccountRights,
  type AccountRole,
  accessClassOf,
  mayCall,
  type ObserverFilter,
  WHO_MAY_CALL,
} from "./access-roles.ts";
import { RPC_ERROR, RpcError } from "./rpc-error.ts";
import { MAX_TOKEN_SECONDS, type VerifiedToken, verifyToken } from "./token.ts";

/** How clients show who they are, besides the operator secret, which always counts.
 * - `none`: they need not; the operator's methods are served to programs of this machine alone;
 * - `jwt`: by a token that an account's key has signed. */
export type AuthenticationKind = "none" | "jwt";

export type AccessSettings = {
  readonly kind: AuthenticationKind;
  /** Whether `basics` and `read` are open to clients that do not say who they are. */
  readonly anonymousReads: boolean;
  /** The longest life of a token that is accepted. */
  readonly maxTokenSeconds: number;
  /** Of this machine; undefined: there is none. */
  readonly operatorSecret: Bytes | undefined;
  /** This node's own, which tokens may name. */
  readonly peerId: string | undefined;
  /** Roles that this node gives accounts besides those of the chain, by address in lower-case hex. */
  readonly accounts: ReadonlyMap<string, readonly AccountRole[]>;
  /** `on`: they must be served, or the server does not start; `off`: never; `auto`: to who has shown that it may. */
  readonly operatorMethods: "auto" | "on" | "off";
};

export const OPEN_ACCESS: AccessSettings = {
  kind: "none",
  anonymousReads: true,
  maxTokenSeconds: 0,
  operatorSecret: undefined,
  peerId: undefined,
  accounts: new Map(),
  operatorMethods: "auto",
};

/** Who asks. */
export type Caller =
  | { readonly kind: "anonymous" }
  | { readonly kind: "account"; readonly account: Address; readonly expiresAt: number }
  | { readonly kind: "secret"; readonly expiresAt: number };

export const ANONYMOUS: Caller = { kind: "anonymous" };

/** Whoever speaks through one connection or request. */
export type Session = {
  caller: Caller;
  /** A page in a browser speaks, whose user may know nothing of it, or somebody behind a proxy, who may be anywhere. */
  readonly isIndirect: boolean;
  /** Of a connection that stays: takes the place of the caller before. */
  readonly authenticate?: (caller: Caller) => void;
};

/** Of a program that has not said who it is. */
export const ANONYMOUS_SESSION: Session = { caller: ANONYMOUS, isIndirect: false };

/** What JSON-RPC and HTTP answer to who may not. The data's reason is the stable code. */
export class AccessError extends RpcError {
  /** 401: say who you are; 403: you may not. */
  readonly status: 401 | 403;
  constructor(status: 401 | 403, reason: string, message: string) {
    super(RPC_ERROR.unauthorized, message, { reason });
    this.status = status;
  }
}

/** Tokens whose signatures were checked already. */
const MAX_KNOWN_TOKENS = 1_024;
const BEARER = /^Bearer ([A-Za-z0-9._-]+)$/i;

/** Decides who may call what. */
export class AccessControl {
  readonly settings: AccessSettings;
  readonly #genesisHash: Hash;
  readonly #reads: AccessReads | undefined;
  readonly #isLoopback: boolean;
  readonly #newestBlock: () => number;
  readonly #nowMs: () => number;
  readonly #tokens = new Map<string, VerifiedToken>();
  readonly #rights = new Map<string, AccountRights>();
  #rightsBlock = -1;

  constructor(options: {
    readonly settings: AccessSettings;
    readonly genesisHash: Hash;
    /** undefined: the chain knows no roles. */
    readonly reads: AccessReads | undefined;
    /** The server listens to this machine alone. */
    readonly isLoopback: boolean;
    readonly newestBlock: () => number;
    readonly nowMs: () => number;
  }) {
    this.settings = options.settings;
    this.#genesisHash = options.genesisHash;
    this.#reads = options.reads;
    this.#isLoopback = options.isLoopback;
    this.#newestBlock = options.newestBlock;
    this.#nowMs = options.nowMs;
  }

  /** Who a request comes from. @param authorization its header. Throws an AccessError with 401 for a token that is not good: one that is
   * given must be. */
  callerOf(authorization: string | undefined): Caller {
    if (authorization === undefined) return ANONYMOUS;
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined)
      throw new AccessError(401, "token/malformed", 'the header must be "Authorization: Bearer TOKEN"');
    return this.callerOfToken(token);
  }

  /** Throws an AccessError with 401. */
  callerOfToken(token: string): Caller {
    const nowSeconds = Math.floor(this.#nowMs() / 1_000);
    const name = toHex(sha256(utf8(token)));
    const known = this.#tokens.get(name);
    if (known !== undefined && known.expiresAt > nowSeconds) return callerFrom(known);
    const { operatorSecret, peerId, maxTokenSeconds } = this.settings;
    const checked = verifyToken(token, {
      genesisHash: this.#genesisHash,
      peerId,
      operatorSecret,
      maxSeconds: Math.min(maxTokenSeconds, MAX_TOKEN_SECONDS),
      nowSeconds,
    });
    if (!checked.ok) throw new AccessError(401, checked.error.code, checked.error.message);
    if (checked.value.holder.kind === "account" && this.settings.kind !== "jwt")
      throw new AccessError(
        401,
        "token/not-accepted",
        "this node takes no accounts' tokens (rpc.authentication)",
      );
    if (this.#tokens.size >= MAX_KNOWN_TOKENS) this.#tokens.delete(this.#tokens.keys().next().value ?? "");
    this.#tokens.set(name, checked.value);
    return callerFrom(checked.value);
  }

  /** Why a session may not call a method, or undefined. */
  refusal(method: string, { caller, isIndirect }: Session): AccessError | undefined {
    const accessClass = accessClassOf(method);
    if (accessClass === "operate" && this.settings.operatorMethods === "off")
      return new AccessError(
        403,
        "rpc/forbidden",
        "this node serves no operator methods (rpc.operatorMethods)",
      );
    if (method === AUTHENTICATE_METHOD || caller.kind === "secret") {
      return this.#isExpired(caller) ? expiredError() : undefined;
    }
    if (caller.kind === "anonymous") return this.#refuseAnonymous(accessClass, isIndirect);
    if (this.#isExpired(caller)) return expiredError();
    if (this.#isOpenToAll(accessClass) || mayCall(this.rightsOf(caller), accessClass)) return undefined;
    const message = `${toHex(caller.account)} may not call ${method.slice(0, 80)}: it needs ${WHO_MAY_CALL[accessClass]}`;
    return new AccessError(403, "rpc/forbidden", message);
  }

  /** What a caller may do. Roles are those of the newest block. */
  rightsOf(caller: Caller): AccountRights {
    if (caller.kind === "secret") return { roles: ["sender", "operator", "auditor"], filter: "all" };
    if (caller.kind === "anonymous")
      return { roles: [], filter: this.settings.anonymousReads ? "all" : undefined };
    const block = this.#newestBlock();
    if (block !== this.#rightsBlock) this.#rights.clear();
    this.#rightsBlock = block;
    const name = toHex(caller.account);
    const known = this.#rights.get(name);
    if (known !== undefined) return known;
    const own = this.settings.accounts.get(name) ?? [];
    const roles = [...new Set([...(this.#reads?.rolesOf(caller.account) ?? []), ...own])];
    const filter = own.includes("auditor") ? "all" : this.#reads?.filterOf(caller.account);
    const rights = { roles, filter };
    if (this.#rights.size < MAX_KNOWN_TOKENS) this.#rights.set(name, rights);
    return rights;
  }

  /** Whether a connection that stays may go on: its token is good, and its account may still call what it has subscribed to, or anything
   * at all. */
  mayStay(caller: Caller, hasSubscriptions = false): boolean {
    if (caller.kind === "anonymous") return true;
    const needed = hasSubscriptions ? "read" : "basics";
    return (
      !this.#isExpired(caller) &&
      (caller.kind === "secret" || this.#isOpenToAll(needed) || mayCall(this.rightsOf(caller), needed))
    );
  }

  /** Until a caller's token ends. */
  millisecondsLeft(caller: Exclude<Caller, { kind: "anonymous" }>): number {
    return Math.max(0, caller.expiresAt * 1_000 - this.#nowMs());
  }

  /** Whether clients must say who they are before they can do anything. */
  needsToken(): boolean {
    return !this.#isOpenToAll("basics");
  }

  filterOf(caller: Caller): ObserverFilter | undefined {
    return this.rightsOf(caller).filter;
  }

  #isExpired(caller: Caller): boolean {
    return caller.kind !== "anonymous" && caller.expiresAt <= this.#nowMs() / 1_000;
  }

  #isOpenToAll(accessClass: AccessClass): boolean {
    const { kind, anonymousReads } = this.settings;
    if (accessClass === "basics" || accessClass === "read") return kind === "none" || anonymousReads;
    return kind === "none" && (accessClass === "submit" || accessClass === "observe");
  }

  #refuseAnonymous(accessClass: AccessClass, isIndirect: boolean): AccessError | undefined {
    if (this.#isOpenToAll(accessClass)) return undefined;
    const isOwn = this.settings.kind === "none" && this.#isLoopback;
    if (isOwn && !isIndirect) return undefined;
    const message = isOwn
      ? "pages in a browser, and who comes through a proxy, may not call this method"
      : `say who you are (Authorization: Bearer TOKEN, see ostrom token --help): this needs ${WHO_MAY_CALL[accessClass]}`;
    return new AccessError(isOwn ? 403 : 401, isOwn ? "rpc/forbidden" : "rpc/unauthenticated", message);
  }
}

/** What a WebSocket client sends first if it cannot set headers. */
export const AUTHENTICATE_METHOD = "rpc_authenticate";

function callerFrom({ holder, expiresAt }: VerifiedToken): Caller {
  return holder.kind === "secret"
    ? { kind: "secret", expiresAt }
    : { kind: "account", account: holder.account, expiresAt };
}

function expiredError(): AccessError {
  return new AccessError(401, "token/expired", "the token has expired: make another");
}

/** Whom an act is written down of. */
export function actorOf(caller: Caller): string {
  switch (caller.kind) {
    case "anonymous":
      return "anonymous";
    case "secret":
      return "operator-secret";
    case "account":
      return toHex(caller.account);
    default:
      return caller satisfies never;
  }
}
