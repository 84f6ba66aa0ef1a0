// The package's own types import @xterm/xterm, which would bring the DOM's names into every room (R3).
import type { ITerminalAddon, Terminal } from '@xterm/headless'

export class SerializeAddon implements ITerminalAddon {
  activate(terminal: Terminal): void
  serialize(options?: { readonly scrollback?: number; readonly excludeModes?: boolean; readonly excludeAltBuffer?: boolean }): string
  dispose(): void
}
