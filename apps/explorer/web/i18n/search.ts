/** The page of what was searched for. */
export const search = {
  en: {
    title: "Search",
    results: "Results for {query}",
    empty: "What are you looking for?",
    emptyAdvice: "A block's height or hash, a transaction's hash, an address, or a token's name or symbol.",
    nothing: "Nothing found",
    nothingAdvice: "Is it on this chain? New things take a moment until the index knows them.",
    nothingWithoutIndex:
      "Names are found by the index, which this console was started without. Heights, hashes and addresses are found.",
    block: "Block",
    transaction: "Transaction",
    address: "Address",
    contract: "Contract",
    token: "Token",
  },
  zh: {
    title: "搜索",
    results: "“{query}”的搜索结果",
    empty: "您在找什么？",
    emptyAdvice: "区块高度或哈希、交易哈希、地址，或代币的名称与符号。",
    nothing: "没有找到",
    nothingAdvice: "它在这条链上吗？新内容需要片刻才会进入索引。",
    nothingWithoutIndex: "名称由索引服务查找，而本控制台启动时未启用它。高度、哈希和地址仍可查找。",
    block: "区块",
    transaction: "交易",
    address: "地址",
    contract: "合约",
    token: "代币",
  },
} as const;
