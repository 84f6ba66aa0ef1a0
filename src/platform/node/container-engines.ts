import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { findProgram } from './pty-lydell.ts'

const ENGINES = ['docker', 'podman'] as const
export type ContainerEngine = (typeof ENGINES)[number]

const DOCKER_SOCKETS = ['/var/run/docker.sock', '/run/docker.sock']

/**
 * Which of docker and podman this machine has. They take the same words for what people type: a job that asks for the one that is
 * not here is given the other. A docker without its service is none.
 */
export class ContainerEngines {
  readonly #folder: string
  readonly #sockets: readonly string[]
  /** Stand-ins of this process, and what stands in: each is written once. */
  readonly #written = new Map<string, string>()

  /** @param folder  where the stand-ins lie; made when first needed */
  constructor(folder: string, sockets: readonly string[] = DOCKER_SOCKETS) {
    this.#folder = folder
    this.#sockets = sockets
  }

  /** The engines that would run something. */
  found(environment: Readonly<Record<string, string | undefined>>): readonly ContainerEngine[] {
    return ENGINES.filter((engine) => {
      if (findProgram(engine, '/', environment['PATH'] ?? '') === undefined) return false
      return engine === 'podman' || environment['DOCKER_HOST'] !== undefined || this.#sockets.some((socket) => existsSync(socket))
    })
  }

  /** The environment with a stand-in for the engine that is not here first on its PATH; unchanged where both are or none is. */
  withStandIn<E extends Readonly<Record<string, string>>>(environment: E): E {
    const found = this.found(environment)
    const [engine] = found
    const missing = ENGINES.find((one) => one !== engine)
    if (found.length !== 1 || engine === undefined || missing === undefined) return environment
    const program = findProgram(engine, '/', environment['PATH'] ?? '')
    if (program === undefined) return environment
    const folder = path.join(this.#folder, `${missing}-by-${engine}`)
    const file = path.join(folder, missing)
    if (this.#written.get(file) !== program || !existsSync(file)) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      writeFileSync(file, `#!/bin/sh\nexec '${program.replaceAll("'", `'\\''`)}' "$@"\n`, { mode: 0o700 })
      this.#written.set(file, program)
    }
    return { ...environment, PATH: `${folder}${path.delimiter}${environment['PATH'] ?? ''}` }
  }
}
