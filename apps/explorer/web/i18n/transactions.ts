/** Lists of transactions. */
export const transactions = {
  en: {
    title: "Transactions",
    hash: "Transaction",
    block: "Block",
    method: "Method",
    from: "From",
    to: "To",
    value: "Value",
    created: "New contract",
    transfer: "Transfer",
    pending: "waiting",
  },
  zh: {
    title: "交易",
    hash: "交易",
    block: "区块",
    method: "方法",
    from: "发送方",
    to: "接收方",
    value: "金额",
    created: "新合约",
    transfer: "转账",
    pending: "等待中",
  },
} as const;
