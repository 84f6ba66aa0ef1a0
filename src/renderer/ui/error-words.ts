import { errorMessage } from '../../base/errors.ts'

/** A first word, and not the beginning of an address, a path or a file name: those are written as they are. */
const FIRST_WORD = /^[\p{L}’'-]+(?=[\s,;]|[.:](?:\s|$)|$)/u

/** What an error says, as a sentence for a person: errors are written to be joined to other text, a screen begins with a capital and ends with a stop. */
export function errorWords(error: unknown): string {
  const text = errorMessage(error)
    .trim()
    .replace(FIRST_WORD, (word) => word.charAt(0).toUpperCase() + word.slice(1))
  return /[.!?…]$/.test(text) ? text : `${text}.`
}
