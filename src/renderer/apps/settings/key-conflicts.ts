/** What is bound where, for the page that changes it. Pure. */

export interface BoundCommand {
  readonly id: string
  readonly title: string
  /** What it answers to as things are. */
  readonly keys: readonly string[]
}

/** The commands other than `id` that a binding would take away from. */
export function conflictsOf(commands: readonly BoundCommand[], id: string, binding: string): readonly BoundCommand[] {
  return commands.filter((command) => command.id !== id && command.keys.includes(binding))
}

/** Commands that fit what was typed: every word in the title, or the binding itself. */
export function filterCommands<Command extends BoundCommand>(commands: readonly Command[], typed: string): readonly Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return commands
  return commands.filter((command) => {
    const text = `${command.title} ${command.keys.join(' ')}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

/** Why a binding cannot be used for the desk; undefined = it can. A bare letter would take it from every text. */
export function bindingProblem(binding: string): string | undefined {
  const parts = binding.split('+')
  const key = parts.at(-1) ?? ''
  const held = parts.slice(0, -1)
  if (/^F\d{1,2}$/.test(key)) return undefined
  if (held.length === 0 || (held.length === 1 && held[0] === 'Shift'))
    return 'Hold Ctrl, Alt or Super with it: on its own it is needed for typing.'
  if (binding === 'Ctrl+C' || binding === 'Ctrl+V' || binding === 'Ctrl+X' || binding === 'Ctrl+A')
    return 'It copies, cuts, pastes or selects in every text.'
  return undefined
}
