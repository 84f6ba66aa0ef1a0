import { errorMessage } from '../../base/errors.ts'

/** What an error says, as a sentence for a person: errors are written to be joined to other text, a screen begins with a capital and ends with a stop. */
export function errorWords(error: unknown): string {
  const [first = '', ...rest] = errorMessage(error).trim()
  const text = first.toUpperCase() + rest.join('')
  return /[.!?…]$/.test(text) ? text : `${text}.`
}
