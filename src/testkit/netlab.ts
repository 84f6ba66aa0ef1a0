import { type ChildProcess, execFileSync, spawn, type SpawnOptions } from 'node:child_process'
import { getuid } from 'node:process'
import type { Disposable } from '../base/disposable.ts'

/** One machine of the lab: a network namespace with one interface. */
export interface LabMachine {
  readonly name: string
  readonly namespace: string
  /** Its address on the lab's network. */
  readonly address: string
  /** Starts a program inside. Its pid is the program's own: `process.kill` reaches it. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess
  /** Unplugs the cable: the interface stays, nothing passes. */
  cut(): void
  heal(): void
}

export interface NetLab extends Disposable {
  readonly machines: readonly LabMachine[]
  machine(name: string): LabMachine
}

/**
 * Why this process may not make network namespaces, in one sentence; undefined when it may. Tests that need them are
 * skipped with this sentence, not silently.
 */
export function whyNoNetLab(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a feature of Linux'
  if (getuid?.() !== 0) return 'making network namespaces needs root: run the tests as root to include them'
  try {
    const probe = `ew${process.pid}probe`
    ip('netns', 'add', probe)
    try {
      ip('netns', 'exec', probe, 'true') // some may make one and not enter it
    } finally {
      ip('netns', 'del', probe)
    }
    return undefined
  } catch (error) {
    return `network namespaces cannot be made here (${String(error).split('\n')[0]})`
  }
}

/**
 * Makes machines 10.98.0.1, 10.98.0.2, ... on one bridge, apart from the network of this machine. Everything is removed by
 * `dispose`, at process end, and by the next lab if this process is killed before that.
 *
 * @throws Error  see whyNoNetLab
 */
export function createNetLab(...names: readonly string[]): NetLab {
  removeStrayLabs()
  const id = `ew${process.pid}n${labs++}`
  const hub = `${id}hub`
  const made: string[] = []
  const dispose = () => {
    process.off('exit', dispose)
    for (const namespace of made.splice(0)) removeNamespace(namespace)
  }
  process.on('exit', dispose)
  const addNamespace = (namespace: string) => {
    ip('netns', 'add', namespace)
    made.push(namespace)
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
  }
  try {
    addNamespace(hub)
    ip('-n', hub, 'link', 'add', 'br0', 'type', 'bridge')
    ip('-n', hub, 'link', 'set', 'br0', 'up')
    const machines = names.map((name, index) => {
      const namespace = `${id}${name}`
      const address = `10.98.0.${index + 1}`
      addNamespace(namespace)
      const port = `port${index}`
      ip('-n', hub, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
      ip('-n', hub, 'link', 'set', port, 'master', 'br0')
      ip('-n', hub, 'link', 'set', port, 'up')
      ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      ip('-n', namespace, 'link', 'set', 'eth0', 'up')
      ip('-n', namespace, 'route', 'add', 'default', 'dev', 'eth0')
      return createMachine(name, namespace, address, (state) => ip('-n', hub, 'link', 'set', port, state))
    })
    const machine = (name: string) => {
      const found = machines.find((candidate) => candidate.name === name)
      if (found === undefined) throw new RangeError(`no machine ${name} in this lab`)
      return found
    }
    return { machines, machine, dispose }
  } catch (error) {
    dispose()
    throw error
  }
}

let labs = 0 // several labs in one test process have different names

function createMachine(name: string, namespace: string, address: string, setPort: (state: 'up' | 'down') => void): LabMachine {
  return {
    name,
    namespace,
    address,
    spawn: (command, args, options = {}) => spawn('ip', ['netns', 'exec', namespace, command, ...args], options),
    cut: () => setPort('down'),
    heal: () => setPort('up'),
  }
}

/** Labs of processes that were killed. */
function removeStrayLabs(): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const [namespace] = line.split(' ')
    const pid = /^ew(\d+)(?:n\d|probe)/.exec(namespace ?? '')?.[1]
    if (namespace === undefined || pid === undefined || isAlive(Number(pid))) continue
    removeNamespace(namespace)
  }
}

function removeNamespace(namespace: string): void {
  try {
    for (const pid of ip('netns', 'pids', namespace).split('\n').filter(Boolean)) killOne(Number(pid))
    ip('netns', 'del', namespace)
  } catch {
    // It is gone already: removed by hand, or by another lab at the same moment.
  }
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself meanwhile.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
