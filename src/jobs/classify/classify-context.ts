import type { Entry, Follow } from './knowledge.ts'
import type { Operands } from './operands.ts'
import type { Script, Word } from './shell-parse.ts'
import type { Verdict } from './verdict.ts'

/** What is known beside the line itself: all of it optional, none of it trusted. */
export interface ClassifyContext {
  /** Name of the script or target the line belongs to: `start`, `test:watch`. */
  readonly name?: string
  /** Other scripts of the same package, by name. */
  readonly scripts?: Readonly<Record<string, string>>
  /** Texts of the folder's files that aliases lead to. */
  readonly files?: ProjectFiles
}

export interface ProjectFiles {
  readonly makefile?: string
  readonly justfile?: string
  /** Taskfile.yml */
  readonly taskfile?: string
  readonly dockerfile?: string
  /** compose.yaml */
  readonly compose?: string
  /** deno.json's tasks. */
  readonly denoTasks?: Readonly<Record<string, string>>
}

/** How a command stands in its line. */
export interface Standing {
  /** Its input is a pipe or a file, no terminal. */
  readonly inputGiven: boolean
  /** Its output goes into a pipe: what ends behind it ends it too. */
  readonly outputPiped: boolean
}

/** Aliases are followed so deep; a loop of aliases ends here. */
export const MAX_FOLLOWED = 12
/** Commands looked at for one line, aliases and substitutions included. */
export const MAX_COMMANDS = 400

/** What one run of `classify` carries along: the context, how deep it is, and how much work is left. */
export interface Walk {
  readonly context: ClassifyContext
  readonly depth: number
  readonly budget: { left: number }
  /** The parts call each other in circles (a line runs a command runs an alias runs a line): through here, not by import. */
  readonly parts: ClassifyParts
}

export type Assignments = readonly (readonly [name: string, value: string])[]

/** A command behind its redirections. */
export interface Command {
  readonly words: readonly Word[]
  readonly assignments: Assignments
}

export interface Followed {
  readonly program: string
  readonly entry: Entry
  /** Without the program's own word. */
  readonly command: Command
  readonly operands: Operands
  readonly standing: Standing
  readonly walk: Walk
  /** What a person typed so far: `npm run`. */
  readonly shown: string
}

export interface ClassifyParts {
  script(script: Script, standing: Standing, walk: Walk): Verdict
  command(command: Command, standing: Standing, walk: Walk): Verdict
  known(program: string, entry: Entry, command: Command, standing: Standing, walk: Walk, shown: string): Verdict
  /** Undefined: the alias says nothing more than its entry does. */
  follow(follow: Follow, from: Followed): Verdict | undefined
}

export const deeper = (walk: Walk, context: ClassifyContext = walk.context): Walk => ({ ...walk, context, depth: walk.depth + 1 })
