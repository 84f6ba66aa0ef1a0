/**
 * Keys pressed together (look: manners). A binding is modifiers in fixed order and one key: `Ctrl+Alt+Shift+Super+K`. Letters are
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
