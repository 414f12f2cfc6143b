import { type Address, type Bytes, fromHex, toHex, unwrap } from "@ostrom/base";
import { type Abi, decodeErrorResult, decodeFunctionResult, encodeFunctionData, parseAbi } from "viem";
import type { InstalledModules } from "../installed-modules.ts";
import { addressOfSecretKey } from "../signature.ts";
import { simulateCall } from "../simulate.ts";
import { completeFields, signTransaction, type TransactionFields } from "../transaction.ts";
import { encodeTransaction } from "../transaction-encoding.ts";
import { VALIDATOR_SET_ADDRESS } from "../validator-set.ts";
import { TEST_CHAIN_ID, TestChain, type TestChainOptions } from "./test-chain.ts";

const VALIDATOR =
  "struct Validator { address account; uint64 weight; uint16 port; bytes consensusKey; bytes proofOfPossession; bytes transportKey; string name; string host; }";

/** The functions and errors of languages/solidity/validator-sets; a test compares them with the compiler's. */
export const MANAGED_ABI: Abi = parseAbi([
  VALIDATOR,
  "function owner() view returns (address)",
  "function totalWeight() view returns (uint64)",
  "function formatVersion() view returns (uint256)",
  "function schemeId() view returns (uint128)",
  "function validatorCount() view returns (uint256)",
  "function validatorAt(uint256 index) view returns (Validator)",
  "function transferOwnership(address newOwner)",
  "function addValidator(Validator added)",
  "function removeValidator(bytes consensusKey)",
  "function setWeight(bytes consensusKey, uint64 weight)",
  "function setAccount(bytes consensusKey, address account)",
  "function rotateConsensusKey(bytes consensusKey, bytes newKey, bytes newProof)",
  "function setTransportKey(bytes consensusKey, bytes transportKey)",
  "function setEndpoint(bytes consensusKey, string host, uint16 port)",
  "function changeScheme(uint128 scheme)",
  "function setNextKey(bytes consensusKey, bytes nextKey, bytes nextProof)",
  "function nextSchemeId() view returns (uint128)",
  "function readyCount() view returns (uint128)",
  "function nextKeyAt(uint256 index) view returns (bytes)",
  "error WrongKeyLength()",
  "error WrongScheme(uint256 schemeId)",
  "error WrongName()",
  "error WrongHost()",
  "error WrongPort()",
  "error KeyTaken(bytes key)",
  "error NotOwner(address caller)",
  "error NotThisValidator(address caller)",
  "error UnknownValidator(bytes consensusKey)",
  "error ZeroAddress()",
  "error ZeroWeight()",
  "error TooMuchWeight()",
  "error TooManyValidators()",
  "error LastValidator()",
  "error NoSchemeChange()",
]);

export const WORK_ABI: Abi = parseAbi([
  VALIDATOR,
  "function formatVersion() view returns (uint256)",
  "function schemeId() view returns (uint128)",
  "function validatorCount() view returns (uint256)",
  "function validatorAt(uint256 index) view returns (Validator)",
  "function target() view returns (uint256)",
  "function challenge() view returns (bytes32)",
  "function period() view returns (uint32)",
  "function ticketsInPeriod() view returns (uint32)",
  "function ticketsPerPeriod() view returns (uint32)",
  "function windowPeriods() view returns (uint16)",
  "function minValidators() view returns (uint16)",
  "function maxValidators() view returns (uint16)",
  "function minerCount() view returns (uint256)",
  "function minerOf(address account) view returns (uint256 tickets, uint64 lastNonce, bool hasWorked)",
  "function sealEpoch(uint64 nextEpoch)",
  "function submitWork(bytes consensusKey, bytes proofOfPossession, bytes transportKey, string host, uint16 port, uint64 nonce)",
  "error WrongKeyLength()",
  "error WrongScheme(uint256 schemeId)",
  "error WrongName()",
  "error WrongHost()",
  "error WrongPort()",
  "error KeyTaken(bytes key)",
  "error NotOpenYet()",
  "error TargetMissed(bytes32 hash, uint256 target)",
  "error NonceUsed(uint64 lastNonce)",
  "error TooManyTickets()",
  "error NoRoomForMiners()",
  "error NotTheSystem()",
]);

/** Handing in a key of ML-DSA-65 and its proof takes four million. */
const GAS_LIMIT = 6_000_000n;
const MAX_FEE = 10n ** 12n;

/** Functions, events left out, and errors of languages/solidity/modules/ModuleRegistry.sol. */
export const REGISTRY_ABI: Abi = parseAbi([
  "struct Version { uint32 version; uint64 height; bytes32 codeHash; bytes settings; }",
  "struct Module { bytes32 name; Version current; Version scheduled; }",
  "struct Fork { bytes32 name; uint64 height; }",
  "function authority() view returns (address)",
  "function holder() view returns (bytes32)",
  "function nextHolder() view returns (bytes32)",
  "function fromEpoch() view returns (uint64)",
  "function MIN_NOTICE() view returns (uint64)",
  "function MAX_MODULES() view returns (uint256)",
  "function MAX_FORKS() view returns (uint256)",
  "function MAX_SETTINGS_BYTES() view returns (uint256)",
  "function schedule(bytes32 name, uint32 version, bytes32 codeHash, uint64 height, bytes settings)",
  "function cancel(bytes32 name, uint64 height)",
  "function scheduleFork(bytes32 fork, uint64 height)",
  "function cancelFork(bytes32 fork)",
  "function handOver(bytes32 moduleName, uint64 epoch)",
  "function cancelHandOver()",
  "function transferAuthority(address to)",
  "function moduleCount() view returns (uint256)",
  "function moduleAt(uint256 index) view returns (Module)",
  "function activeVersion(bytes32 name) view returns (Version)",
  "function forkCount() view returns (uint256)",
  "function forkAt(uint256 index) view returns (Fork)",
  "error NotAuthority(address caller)",
  "error ZeroAddress()",
  "error WrongName(bytes32 name)",
  "error TooSoon(uint64 height, uint64 earliest)",
  "error TooFar(uint64 number)",
  "error NotALaterVersion(uint32 current)",
  "error AlreadyScheduled(uint64 height)",
  "error NothingScheduled()",
  "error SettingsTooLong()",
  "error NoRoom()",
  "error UnknownModule(bytes32 name)",
]);

/** A chain whose validator set, or registry, is a contract, with what tests do to it. */
export class ContractChain extends TestChain {
  readonly modules: InstalledModules | undefined;
  readonly #nonces = new Map<string, bigint>();
  readonly #abi: Abi;
  readonly #contract: Address;

  constructor(
    genesis: TestChain["genesis"],
    abi: Abi,
    contract: Address = VALIDATOR_SET_ADDRESS,
    options: TestChainOptions = {},
  ) {
    super(genesis, options);
    this.#abi = abi;
    this.#contract = contract;
    this.modules = options.modules;
  }

  /** Asks the contract without a transaction. @returns its answer, or the name of the error that it reverts with. */
  ask(functionName: string, args: readonly unknown[] = [], from?: Address): unknown {
    const data = this.#encode(functionName, args);
    const request = { to: this.#contract, data, ...(from === undefined ? {} : { from }) };
    const { status, output } = unwrap(
      simulateCall({
        rules: this.genesis.rules,
        header: this.head.header,
        state: this.state,
        blockHash: this.blockHash,
        modules: this.modules,
        // A transaction runs in the next block.
        blockOverride: { number: BigInt(this.head.header.number + 1) },
        request,
        gasCap: GAS_LIMIT,
      }),
    );
    if (status !== "success") return decodeErrorResult({ abi: this.#abi, data: toHex(output) }).errorName;
    return decodeFunctionResult({ abi: this.#abi, functionName, data: toHex(output) });
  }

  /** A signed call of the contract. Calls of one account are to be executed in the order in which they were made. */
  call(key: Bytes, functionName: string, args: readonly unknown[]): Bytes {
    const sender = toHex(addressOfSecretKey(key));
    const nonce = this.#nonces.get(sender) ?? 0n;
    this.#nonces.set(sender, nonce + 1n);
    return signTransaction(this.#fields(functionName, args, nonce), key).raw;
  }

  /** The first call of somebody who is only said to have signed it. */
  callUnsigned(functionName: string, args: readonly unknown[]): Bytes {
    const fields = completeFields(this.#fields(functionName, args, 0n));
    return encodeTransaction(fields, { yParity: 0, r: 1n, s: 1n });
  }

  /** Calls the contract in a block of its own. @returns "done", or the name of the error that it reverts with. */
  send(key: Bytes, functionName: string, args: readonly unknown[]): unknown {
    const expected = this.ask(functionName, args, addressOfSecretKey(key));
    const { receipts } = this.execute([this.call(key, functionName, args)]);
    const [receipt] = receipts;
    if (receipt === undefined || receipt.succeeded === (typeof expected === "string"))
      throw new Error(`a transaction ended in another way than its simulation: ${String(expected)}`);
    return expected ?? "done";
  }

  /** Empty blocks up to a height. */
  advance(height: number): void {
    while (this.head.header.number < height) this.execute([]);
  }

  #fields(functionName: string, args: readonly unknown[], nonce: bigint): TransactionFields {
    const data = this.#encode(functionName, args);
    const to = this.#contract;
    return { chainId: TEST_CHAIN_ID, nonce, gasLimit: GAS_LIMIT, maxFeePerGas: MAX_FEE, to, data };
  }

  #encode(functionName: string, args: readonly unknown[]): Bytes {
    return unwrap(fromHex(encodeFunctionData({ abi: this.#abi, functionName, args })));
  }
}
