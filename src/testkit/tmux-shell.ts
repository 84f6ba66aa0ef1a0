import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { vi } from 'vitest'

const WAIT = { timeout: 30_000, interval: 15 }
const PROMPT = '»'

/** Why no shell can be driven here; undefined when it can. */
export function whyNoTmux(shell: string): string | undefined {
  for (const program of ['tmux', shell]) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `${program} is not installed`
  }
  return undefined
}

/** One interactive shell in a terminal of tmux, with no start files and a prompt that is known. */
export class TmuxShell {
  readonly #socket: string

  /** @param folder  its home and where it starts; the socket lies in it */
  constructor(folder: string, command: string, environment: Readonly<Record<string, string>> = {}) {
    this.#socket = path.join(folder, 'tmux.sock')
    const { PATH = '' } = process.env
    const env = { PATH, HOME: folder, LANG: 'C.UTF-8', TERM: 'xterm', ...environment }
    execFileSync('tmux', ['-S', this.#socket, '-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '50', '-c', folder, command], {
      env,
    })
    this.write(`PS1='${PROMPT} '`)
    this.press('Enter')
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8' })
  }

  get pid(): number {
    return Number(this.#tmux('display-message', '-p', '#{pane_pid}'))
  }

  /** What was written so far, lines that were broken by the width put together. */
  get text(): string {
    return this.#tmux('capture-pane', '-p', '-J', '-S', '-').trimEnd()
  }

  /** Waits until it asks for a command. */
  async prompts(): Promise<void> {
    await vi.waitFor(() => {
      const { text } = this
      if (!text.split('\n').at(-1)?.startsWith(PROMPT) || text.at(-1) !== PROMPT) throw new Error(`no prompt:\n${text}`)
    }, WAIT)
  }

  async shows(wanted: string): Promise<void> {
    await vi.waitFor(() => {
      const { text } = this
      if (!text.includes(wanted)) throw new Error(`it does not show ${wanted}:\n${text}`)
    }, WAIT)
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows))
  }

  /** A program has the other screen of the terminal; whether the cursor is seen. */
  get modes(): { readonly otherScreen: boolean; readonly cursor: boolean } {
    const [other, cursor] = this.#tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}').trim().split(' ')
    return { otherScreen: other === '1', cursor: cursor === '1' }
  }

  /** As a keyboard would; names as tmux has them (`C-c`, `Enter`). */
  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys)
  }

  write(text: string): void {
    this.#tmux('send-keys', '-l', '--', text)
  }

  /** As a terminal pastes, in brackets where the shell asks for them. */
  paste(text: string): void {
    execFileSync('tmux', ['-S', this.#socket, 'load-buffer', '-'], { input: text })
    this.#tmux('paste-buffer', '-p')
  }

  /** Types a line and Enter; what it asks for next is not waited for. */
  enter(line: string): void {
    this.#tmux('send-keys', '-l', '--', line, ';', 'send-keys', 'Enter')
  }

  /** Runs a line; @returns what it wrote, without the line */
  async run(line: string): Promise<string> {
    await this.prompts()
    const before = this.text
    this.enter(line)
    return vi.waitFor(() => {
      const { text } = this
      if (text === before || text.split('\n').at(-1) !== PROMPT) throw new Error(`it goes on:\n${text}`)
      return text
        .slice(text.lastIndexOf(`${PROMPT} ${line}`) + line.length + 2)
        .split('\n')
        .slice(1, -1)
        .join('\n')
    }, WAIT)
  }

  /** Minor faults of children it waited for: a process that was forked cannot do without any. */
  get childFaults(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[8])
  }

  dispose(): void {
    spawnSync('tmux', ['-S', this.#socket, 'kill-server'])
  }
}
