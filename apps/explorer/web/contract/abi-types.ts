/** A JSON ABI as compilers write it, as far as forms need it. */
export type AbiParameter = {
  readonly name?: string;
  readonly type: string;
  readonly components?: readonly AbiParameter[];
};

export type AbiFunction = {
  readonly type: "function";
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
  readonly outputs: readonly AbiParameter[];
  readonly stateMutability: "pure" | "view" | "nonpayable" | "payable";
};

/** The functions of an ABI in its order; what is not one of them is left out. */
export function functionsOf(abi: readonly unknown[]): readonly AbiFunction[] {
  return abi.flatMap((entry) => {
    const {
      type,
      name,
      inputs = [],
      outputs = [],
      stateMutability = "nonpayable",
    } = entry as Partial<AbiFunction>;
    return type === "function" && typeof name === "string"
      ? [{ type, name, inputs, outputs, stateMutability }]
      : [];
  });
}

/** Whether a call changes nothing, and may be asked of any node. */
export function isRead({ stateMutability }: AbiFunction): boolean {
  return stateMutability === "view" || stateMutability === "pure";
}

/** `transfer(address,uint256)`: names one of several functions of one name. */
export function signatureOf({ name, inputs }: Pick<AbiFunction, "name" | "inputs">): string {
  return `${name}(${inputs.map(canonicalType).join(",")})`;
}

function canonicalType({ type, components = [] }: AbiParameter): string {
  if (!type.startsWith("tuple")) return type;
  return `(${components.map(canonicalType).join(",")})${type.slice("tuple".length)}`;
}
