import type { KeyBinding } from '../../base/key-binding.ts'
import { normaliseBinding } from './keys.ts'

/** Something the desk can do by key, menu or palette. */
export interface DeskCommand {
  readonly id: CommandId
  /** As the palette and the settings show it. */
  readonly title: string
  /** Default binding. `twin`: used in a plain browser tab, where the browser keeps the first for itself. */
  readonly keys?: KeyBinding
  readonly twin?: KeyBinding
  /** Also bound in terminals, where only Ctrl+Shift and Super reach the desk. */
  readonly inTerminal?: KeyBinding
}

const define = <const Id extends string>(commands: readonly (Omit<DeskCommand, 'id'> & { readonly id: Id })[]) => commands

const digits = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const

export const DESK_COMMANDS = define([
  { id: 'palette', title: 'Search and run anything', keys: 'Ctrl+K', inTerminal: 'Ctrl+Shift+K' },
  { id: 'switch-window', title: 'Switch window', keys: 'Ctrl+Tab', twin: 'Alt+Q', inTerminal: 'Ctrl+Shift+Q' },
  { id: 'new-tab', title: 'New tab', keys: 'Ctrl+T', twin: 'Alt+T', inTerminal: 'Ctrl+Shift+T' },
  { id: 'new-window', title: 'New window', keys: 'Ctrl+N', twin: 'Alt+N' },
  { id: 'close-tab', title: 'Close tab', keys: 'Ctrl+W', twin: 'Alt+W' },
  { id: 'close-window', title: 'Close window', keys: 'Ctrl+Alt+W' },
  { id: 'reopen', title: 'Reopen what was closed last', keys: 'Ctrl+Alt+T' },
  { id: 'minimise', title: 'Minimise window', keys: 'Alt+M', inTerminal: 'Ctrl+Shift+M' },
  { id: 'maximise', title: 'Maximise or restore window', keys: 'Alt+Enter' },
  { id: 'move-window', title: 'Move window with the keyboard', keys: 'Alt+F7' },
  { id: 'resize-window', title: 'Resize window with the keyboard', keys: 'Alt+F8' },
  { id: 'snap-left', title: 'Snap window left', keys: 'Super+ArrowLeft', twin: 'Alt+ArrowLeft', inTerminal: 'Ctrl+Shift+ArrowLeft' },
  { id: 'snap-right', title: 'Snap window right', keys: 'Super+ArrowRight', twin: 'Alt+ArrowRight', inTerminal: 'Ctrl+Shift+ArrowRight' },
  { id: 'snap-up', title: 'Snap window up', keys: 'Super+ArrowUp', twin: 'Alt+ArrowUp', inTerminal: 'Ctrl+Shift+ArrowUp' },
  { id: 'snap-down', title: 'Snap window down', keys: 'Super+ArrowDown', twin: 'Alt+ArrowDown', inTerminal: 'Ctrl+Shift+ArrowDown' },
  { id: 'window-menu', title: 'Window menu', keys: 'Alt+Space' },
  { id: 'next-tab', title: 'Next tab', keys: 'Ctrl+PageDown', twin: 'Alt+PageDown', inTerminal: 'Ctrl+Shift+PageDown' },
  { id: 'previous-tab', title: 'Previous tab', keys: 'Ctrl+PageUp', twin: 'Alt+PageUp', inTerminal: 'Ctrl+Shift+PageUp' },
  { id: 'tear-off', title: 'Move tab to a window of its own', keys: 'Ctrl+Alt+N' },
  { id: 'elsewhere', title: 'Run a command elsewhere', keys: 'Ctrl+Shift+E' },
  { id: 'undo', title: 'Undo the last window action', keys: 'Ctrl+Z' },
  { id: 'next-activity', title: 'Next activity', keys: 'Ctrl+Alt+ArrowRight' },
  { id: 'previous-activity', title: 'Previous activity', keys: 'Ctrl+Alt+ArrowLeft' },
  { id: 'new-activity', title: 'New activity', keys: 'Ctrl+Alt+A' },
  { id: 'notifications', title: 'Messages', keys: 'Alt+B' },
  { id: 'lock', title: 'Lock this display', keys: 'Super+L', twin: 'Ctrl+Alt+L', inTerminal: 'Ctrl+Shift+L' },
  { id: 'focus-dock', title: 'Go to the dock', keys: 'Alt+D' },
  { id: 'focus-elsewhere', title: 'Go to the elsewhere dock', keys: 'Alt+E' },
  { id: 'theme', title: 'Switch between light and dark' },
  ...digits.map((digit) => ({ id: `tab-${digit}` as const, title: `Go to tab ${digit}`, keys: `Ctrl+${digit}`, twin: `Alt+${digit}` })),
])

export type CommandId = (typeof DESK_COMMANDS)[number]['id']

/** What gives a window a place on the desk. On a small screen, where one window fills it, none of it is offered or does anything (rule AP72). */
export const PLACING: ReadonlySet<CommandId> = new Set<CommandId>([
  'maximise',
  'move-window',
  'resize-window',
  'snap-left',
  'snap-right',
  'snap-up',
  'snap-down',
])

/** `app`: Electron or an installed app window, where no browser keeps keys. `browser`: a tab of a plain browser. */
export type KeyHost = 'app' | 'browser'

/** The person's own bindings, by command id; an empty list unbinds. They follow in the workspace document. */
export type KeyOverrides = Readonly<Record<string, readonly string[]>>

export interface Keymap {
  /** Which command a binding runs, by where the keyboard is. */
  readonly commandFor: (binding: KeyBinding, inTerminal: boolean) => CommandId | undefined
  /** Everything bound, for whoever must know which keys are the desk's. */
  readonly bindings: readonly KeyBinding[]
  /** The binding to show beside a command. */
  readonly keysOf: (id: CommandId) => KeyBinding | undefined
}

/** Joins defaults and the person's own. The person's win; what is no binding is passed over. In a browser the twin is shown, and both work where the browser lets them. */
export function createKeymap(host: KeyHost, overrides: KeyOverrides = {}): Keymap {
  const shown = new Map<CommandId, KeyBinding>()
  const plain = new Map<KeyBinding, CommandId>()
  const inTerminals = new Map<KeyBinding, CommandId>()
  const commands: readonly DeskCommand[] = DESK_COMMANDS
  for (const command of commands) {
    if (Object.hasOwn(overrides, command.id)) continue
    const main = host === 'browser' ? (command.twin ?? command.keys) : command.keys
    if (main) shown.set(command.id, main)
    for (const keys of [command.keys, command.twin]) if (keys) plain.set(keys, command.id)
    if (command.inTerminal) {
      inTerminals.set(command.inTerminal, command.id)
      if (!plain.has(command.inTerminal)) plain.set(command.inTerminal, command.id)
    }
  }
  for (const command of commands) {
    const wishes = Object.hasOwn(overrides, command.id) ? (overrides[command.id] ?? []) : []
    for (const wish of wishes.map(normaliseBinding)) {
      if (!wish) continue
      if (!shown.has(command.id)) shown.set(command.id, wish)
      plain.set(wish, command.id)
      inTerminals.set(wish, command.id)
    }
  }
  return {
    bindings: [...plain.keys()],
    commandFor: (binding, inTerminal) => (inTerminal ? (inTerminals.get(binding) ?? plain.get(binding)) : plain.get(binding)),
    keysOf: (id) => shown.get(id),
  }
}
