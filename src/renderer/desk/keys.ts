/**
 * Key bindings (look: manners). A binding is modifiers in fixed order and one key: `Ctrl+Alt+Shift+Super+K`. Letters are
 * upper case, other keys are named as KeyboardEvent.key names them, except `Space` and `Plus`.
 */
export type KeyBinding = string

/** What we read of a KeyboardEvent. */
export interface KeyPress {
  readonly key: string
  readonly code: string
  readonly ctrlKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
  readonly metaKey: boolean
}

const MODIFIER_KEYS = new Set(['Control', 'Alt', 'Shift', 'Meta', 'AltGraph', 'CapsLock', 'Dead', 'Process', 'Unidentified'])

/** The binding a key press asks for, or undefined while only modifiers are held. */
export function bindingOf(press: KeyPress): KeyBinding | undefined {
  if (MODIFIER_KEYS.has(press.key)) return undefined
  const held = [press.ctrlKey && 'Ctrl', press.altKey && 'Alt', press.shiftKey && 'Shift', press.metaKey && 'Super'].filter(Boolean)
  return [...held, keyName(press)].join('+')
}

/** Letters and digits by their place on the board when a modifier changes what they type (Alt+L is `¬` on a Mac, Shift+1 is `!`). */
function keyName({ key, code }: KeyPress): string {
  const letter = /^Key([A-Z])$/.exec(code)?.[1]
  if (letter && !/^[a-z]$/i.test(key)) return letter
  const digit = /^Digit([0-9])$/.exec(code)?.[1]
  if (digit) return digit
  if (key === ' ') return 'Space'
  if (key === '+') return 'Plus'
  return key.length === 1 ? key.toUpperCase() : key
}

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
