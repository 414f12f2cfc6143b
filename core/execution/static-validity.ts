import { type Failure, fail, ok, type Result } from "@ostrom/base";
import { SCHEME_SECP256K1, signatureScheme } from "@ostrom/crypto";
import { type Fork, forkRules } from "@ostrom/vm";
import { intrinsicGas } from "./intrinsic-gas.ts";
import { initCodeLimitOf } from "./transaction-validity.ts";
import { AGILE_TRANSACTION_TYPE, type ChainRules, type Transaction } from "./types.ts";

export type StaticErrorCode =
  | "transaction/wrong-chain-id"
  | "transaction/blobs-not-accepted"
  | "transaction/type-not-active"
  | "transaction/algorithm-not-allowed"
  | "transaction/gas-limit-above-block"
  | "transaction/gas-limit-above-cap"
  | "transaction/init-code-too-large"
  | "transaction/intrinsic-gas";

/** Checks what makes a transaction valid or not on this chain whatever the state is: pool, votes and execution use it
 * alike. A legacy transaction without a chain id passes; whether to admit those is the pool's choice.
 * Errors: `transaction/wrong-chain-id`, `/blobs-not-accepted` (type 3: there is no blob market here),
 * `/type-not-active` (EIP-7702 before Prague, type 0x60 where accounts have no key sets), `/algorithm-not-allowed` (genesis leaves it out), `/gas-limit-above-block`, `/gas-limit-above-cap` (EIP-7825),
 * `/init-code-too-large` (EIP-3860), `/intrinsic-gas` (EIP-7623 included). Messages have the words that geth's have,
 * because clients read them. */
export function checkStaticValidity(
  transaction: Transaction,
  rules: Pick<ChainRules, "chainId" | "blockGasLimit" | "accountSchemes" | "hasKeySets" | "development">,
  fork: Fork,
): Result<void, Failure<StaticErrorCode>> {
  const { type, chainId, gasLimit } = transaction;
  if (chainId !== undefined && chainId !== rules.chainId) {
    return fail(
      "transaction/wrong-chain-id",
      `invalid chain id for signer: have ${chainId} want ${rules.chainId}`,
    );
  }
  if (type === 3) {
    return fail(
      "transaction/blobs-not-accepted",
      "transaction type not supported: this chain takes no blobs",
    );
  }
  if (type === 4 && !forkRules(fork).delegation) {
    return fail(
      "transaction/type-not-active",
      "transaction type not supported: type 4 needs the Prague rules",
    );
  }
  if (type === AGILE_TRANSACTION_TYPE && rules.hasKeySets !== true) {
    return fail(
      "transaction/type-not-active",
      "transaction type not supported: accounts of this chain have no key sets",
    );
  }
  const refused = schemesOf(transaction).find((id) => !rules.accountSchemes.includes(id));
  if (refused !== undefined) {
    const name = signatureScheme(refused)?.name ?? refused;
    return fail("transaction/algorithm-not-allowed", `this chain takes no signatures of ${name}`);
  }
  if (gasLimit > rules.blockGasLimit) {
    return fail("transaction/gas-limit-above-block", "exceeds block gas limit");
  }
  const cap = rules.development?.maxTransactionGas ?? forkRules(fork).maxTransactionGas;
  if (cap !== undefined && gasLimit > cap) {
    return fail(
      "transaction/gas-limit-above-cap",
      `transaction gas limit too high (cap: ${cap}, tx: ${gasLimit})`,
    );
  }
  const initCodeLimit = initCodeLimitOf(rules.development);
  if (transaction.to === undefined && transaction.data.length > initCodeLimit) {
    return fail(
      "transaction/init-code-too-large",
      `max initcode size exceeded: code size ${transaction.data.length} limit ${initCodeLimit}`,
    );
  }
  const needed = intrinsicGas(transaction, fork);
  if (gasLimit < needed) {
    return fail(
      "transaction/intrinsic-gas",
      `intrinsic gas too low: gas ${gasLimit}, minimum needed ${needed}`,
    );
  }
  return ok(undefined);
}

const ETHEREUM_SCHEMES: readonly number[] = [SCHEME_SECP256K1];

/** Ids of the algorithms that the sender uses. */
function schemesOf({ agile }: Transaction): readonly number[] {
  if (agile === undefined) return ETHEREUM_SCHEMES;
  return [...agile.inlineKeys, ...agile.authorizations].map(({ schemeId }) => schemeId);
}
