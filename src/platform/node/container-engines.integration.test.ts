import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ContainerEngines } from './container-engines.ts'
import { SystemCondition } from './machine-condition.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'ew-engines-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function install(name: string): void {
  const at = path.join(folder, 'bin', name)
  mkdirSync(path.dirname(at), { recursive: true })
  writeFileSync(at, `#!/bin/sh\necho "${name}: $*"\n`)
  chmodSync(at, 0o755)
}
const environment = () => ({ PATH: path.join(folder, 'bin') })
const engines = (...sockets: string[]) => new ContainerEngines(path.join(folder, "stand's in"), sockets)
const run = (line: string, env: { PATH: string }) => execFileSync('/bin/sh', ['-c', line], { env, encoding: 'utf8' }).trim()

it('[JB61] a docker command runs with podman where there is no docker, or no service of it', () => {
  install('podman')
  expect(run('docker run --rm -v "/a b:/c" alpine true', engines().withStandIn(environment()))).toBe(
    'podman: run --rm -v /a b:/c alpine true',
  )
  install('docker')
  expect(run('docker ps', engines().withStandIn(environment()))).toBe('podman: ps')
  expect(engines().found(environment())).toEqual(['podman'])
  const condition = new SystemCondition(environment(), engines())
  expect(condition.missing(['docker', 'podman'])).toEqual([])
})

it('[JB61] with both nothing is changed; with docker alone podman commands are its own; with none both are missing', () => {
  expect(new SystemCondition(environment(), engines()).missing(['docker', 'podman'])).toEqual(['docker', 'podman'])
  expect(engines().withStandIn(environment())).toEqual(environment())
  install('docker')
  writeFileSync(path.join(folder, 'socket'), '')
  const served = engines(path.join(folder, 'socket'))
  expect(run('podman ps', served.withStandIn(environment()))).toBe('docker: ps')
  install('podman')
  expect(served.withStandIn(environment())).toEqual(environment())
})
