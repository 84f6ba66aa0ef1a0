import type { KeyBinding } from '../../base/key-binding.ts'

const ORDER = ['Ctrl', 'Alt', 'Shift', 'Super']

/** A binding typed by hand or read from preferences in its one form, or undefined if it is none. */
export function normaliseBinding(text: string): KeyBinding | undefined {
  const parts = text.split('+').map((part) => part.trim())
  const key = parts.pop()
  if (!key || key.length > 20 || parts.some((part) => !ORDER.includes(part)) || new Set(parts).size !== parts.length) return undefined
  return [...ORDER.filter((modifier) => parts.includes(modifier)), key.length === 1 ? key.toUpperCase() : key].join('+')
}

/** Who has the keyboard: decides which bindings may act. */
export type KeyFocus = 'desk' | 'text' | 'terminal'

/**
 * May the desk take this binding? Inside a terminal every key belongs to the program except Ctrl+Shift+... and Super; in
 * a text field whatever types or edits stays with the field.
 */
export function deskMayTake(binding: KeyBinding, focus: KeyFocus): boolean {
  const parts = binding.split('+')
  const key = parts.at(-1) ?? ''
  const has = (modifier: string) => parts.includes(modifier)
  if (focus === 'terminal') return has('Super') || (has('Ctrl') && has('Shift') && !has('Alt'))
  if (focus === 'desk') return true
  if (has('Super')) return true
  if (/^F\d+$/.test(key)) return true
  if (has('Ctrl') && !has('Alt') && !has('Shift') && 'ZYXCVABIU'.includes(key)) return false
  if (has('Ctrl') && has('Shift') && 'ZV'.includes(key)) return false
  if (has('Alt') && key.startsWith('Arrow')) return has('Ctrl') || has('Shift') === false
  return has('Ctrl') || has('Alt')
}
