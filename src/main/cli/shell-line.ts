/** Words as the shell gave them, back to a line that reads the same. One word alone is a line already. */
export const shellLine = (words: readonly string[]): string =>
  words.length === 1
    ? (words[0] as string)
    : words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
