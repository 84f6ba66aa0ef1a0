import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

/*
 * A real container, by podman, from a line that says `docker run` (rule JB61): of an image made here of nothing but this machine's shell,
 * in a store of its own, without a network. Podman gets its settings, and of two versions of cgroups the first (crun refuses both at
 * once), in a mount namespace that ends with the test.
 */

const IMAGE = 'elsewhere-test'
const folder = mkdtempSync(path.join(os.tmpdir(), 'ew-docker-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (...parts: string[]) => path.join(folder, ...parts)
const INSIDE = 'umount /sys/fs/cgroup/unified 2>/dev/null; mount --bind "$0" /etc/containers && exec "$@"'
const inside = (command: readonly string[]): readonly [string, ...string[]] => [
  'unshare',
  '-m',
  'sh',
  '-c',
  INSIDE,
  at('settings'),
  ...command,
]

function writeSettings(): void {
  if (existsSync('/etc/containers')) cpSync('/etc/containers', at('settings'), { recursive: true })
  else mkdirSync(at('settings'))
  writeFileSync(at('settings', 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
  writeFileSync(at('settings', 'containers.conf'), '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n')
  writeFileSync(at('settings', 'storage.conf'), `[storage]\ndriver = "vfs"\ngraphroot = "${at('store')}"\nrunroot = "${at('run')}"\n`)
}

/** The shell of this machine and what it is linked with. */
function writeImage(): void {
  const shell = realpathSync('/bin/sh')
  const libraries = execFileSync('ldd', [shell], { encoding: 'utf8' }).match(/\/\S+(?= \()/g) ?? []
  for (const [from, to] of [[shell, '/bin/sh'] as const, ...libraries.map((file) => [file, file] as const)]) {
    mkdirSync(at('image', path.dirname(to)), { recursive: true })
    copyFileSync(from, at('image', to))
  }
  execFileSync('tar', ['-cf', at('image.tar'), '-C', at('image'), '.'])
}

function whyNoContainer(): string | undefined {
  if (process.getuid?.() !== 0) return 'its own store and settings need root'
  if (spawnSync('podman', ['--version']).status !== 0) return 'podman is not installed'
  writeSettings()
  writeImage()
  for (const words of [
    ['import', at('image.tar'), IMAGE],
    ['run', '--rm', '--network', 'none', IMAGE, '/bin/sh', '-c', ':'],
  ]) {
    const [file, ...rest] = inside(['podman', ...words])
    const { status, stderr } = spawnSync(file, rest, { encoding: 'utf8', timeout: 60_000 })
    if (status !== 0) return `podman runs nothing here: ${stderr?.trim().split('\n').at(-1) ?? 'it took too long'}`
  }
  return undefined
}

const why = whyNoContainer()
const source = (...parts: string[]) => JSON.stringify(path.join(import.meta.dirname, '..', '..', ...parts))

/** A host that runs the line for another device, whose folder is `project`; says its exit and what it wrote. */
const DRIVER = (line: string) => `
  import { systemClock } from ${source('base/clock.ts')}
  import { AttemptHost } from ${source('jobs/attempt-host.ts')}
  import { decodeJobDown } from ${source('jobs/job-frames-contract.ts')}
  import { attemptHostParts } from ${source('testkit/attempt-host-parts.ts')}
  import { memoryChannelPair } from ${source('testkit/memory-channels.ts')}
  import { ContainerEngines } from ${source('platform/node/container-engines.ts')}
  import { NodeJobSpawner } from ${source('platform/node/node-job-spawner.ts')}
  import { NodeTreePlaces } from ${source('platform/node/node-tree-places.ts')}
  const folder = ${JSON.stringify(folder)}
  const spawner = new NodeJobSpawner(new ContainerEngines(folder + '/engines', []))
  const environment = { PATH: process.env.PATH }
  const parts = (name, more) => attemptHostParts(systemClock, { places: new NodeTreePlaces(folder + '/' + name, '/home/ada'), environment, home: folder, ...more })
  const [host, near] = [new AttemptHost(parts('far', { spawner })), new AttemptHost(parts('near'))]
  const [asking, channel] = memoryChannelPair()
  const [nearTree, tree] = memoryChannelPair()
  let text = ''
  const ended = new Promise((resolve) => asking.onDidReceive((message) => {
    const frame = decodeJobDown(message)
    if (frame?.kind === 'output') text += Buffer.from(frame.bytes).toString()
    if (frame?.kind === 'exit') resolve(frame)
  }))
  const attempt = '2'.repeat(16)
  await near.offerTree(attempt, folder + '/project', 'server', nearTree)
  const request = { attempt, program: '/bin/sh', arguments: ['-c', ${JSON.stringify(line)}], environment: {}, folder: folder + '/project', home: folder, network: false, service: false, withoutSandbox: true, containers: true }
  await host.startFor('kitchen', request, channel, tree)
  const { code, error } = await ended
  console.log(JSON.stringify({ code, error, text }))
  await host.endAll()
  process.exit(0)`

describe.skipIf(why !== undefined)(`docker run by podman${why === undefined ? '' : ` (${why})`}`, () => {
  it('[JB61] a line that says docker runs in a container of podman, on the files of its folder, and its results come back', async () => {
    mkdirSync(at('project'))
    writeFileSync(at('project', 'in'), 'asked here\n')
    const script = 'read x < in; echo "$x, made in a container" > out; echo "process $$"; exit 4'
    const line = `docker run --rm --network none -v "$PWD:/work" -w /work ${IMAGE} /bin/sh -c '${script}'`
    const [file, ...words] = inside([process.execPath, '--no-warnings', '--input-type=module', '-e', DRIVER(line)])
    const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (bytes) => (said += String(bytes)))
    await once(child, 'close')
    expect(JSON.parse(said.trim().split('\n').at(-1) ?? '')).toEqual({ code: 4, text: 'process 1\n' })
    expect(readFileSync(at('project', 'out'), 'utf8')).toBe('asked here, made in a container\n')
  }, 240_000)
})
