import { Emitter } from '../base/emitter.ts'
import type { Pty, PtyRequest, PtySpawner } from '../jobs/pty.ts'
import type { TerminalExit } from '../jobs/terminal-frames-contract.ts'

/** A pty without a program: tests say what it prints and read what it was given. While paused it refuses to print. */
export class FakePty implements Pty {
  readonly pid = 4242
  readonly output = new Emitter<Uint8Array>()
  readonly exit = new Emitter<TerminalExit>()
  readonly onDidOutput = this.output.event
  readonly onDidExit = this.exit.event
  readonly written: string[] = []
  readonly sizes: string[] = []
  unwrittenBytes = 0
  paused = false
  program = 'sh'
  folder: string | undefined = '/home/ada'
  disposed = false

  /** Whether the program could print: a paused pty blocks it. */
  print(text: string | Uint8Array): boolean {
    if (this.paused) return false
    this.output.fire(typeof text === 'string' ? new TextEncoder().encode(text) : text)
    return true
  }

  write(bytes: Uint8Array): void {
    this.written.push(new TextDecoder().decode(bytes))
  }

  resize(columns: number, rows: number): void {
    this.sizes.push(`${columns}x${rows}`)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  foreground(): string {
    return this.program
  }

  workingFolder(): string | undefined {
    return this.folder
  }

  async end(): Promise<void> {
    this.exit.fire({ code: 0, signal: 15 })
  }

  dispose(): void {
    this.disposed = true
  }
}

export class FakePtySpawner implements PtySpawner {
  readonly requests: PtyRequest[] = []
  readonly ptys: FakePty[] = []

  spawn(request: PtyRequest): FakePty {
    const pty = new FakePty()
    this.requests.push(request)
    this.ptys.push(pty)
    return pty
  }
}
