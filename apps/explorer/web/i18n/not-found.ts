/** Paths that no page has. */
export const notFound = {
  en: {
    title: "Not found",
    nothing: "There is no page here",
    advice: "Look for a block, a transaction, an address or a token in the search field (press /).",
    home: "Go to the overview",
  },
  zh: {
    title: "未找到",
    nothing: "此处没有页面",
    advice: "可在搜索框中查找区块、交易、地址或代币（按 / 键）。",
    home: "返回概览",
  },
} as const;
