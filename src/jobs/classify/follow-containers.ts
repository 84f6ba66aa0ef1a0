import type { Endpoint } from '../job-contract.ts'
import { deeper, type Followed, type ProjectFiles, type Walk } from './classify-context.ts'
import { followLine, via } from './follow-line.ts'
import { recordAt, readYaml } from './follow-recipes.ts'
import { type Entry, type ImageKind, knowledge, readEntry, readSpec } from './knowledge.ts'
import { imageHint } from './name-hints.ts'
import { portOf, readOperands } from './operands.ts'
import type { Word } from './shell-parse.ts'
import { CONFIDENCE, labelWords, type Verdict, verdictOf } from './verdict.ts'

/* docker and podman run, exec, compose; what a Dockerfile exposes. Containers are of this machine: its engine runs them. */

const BATCH = readSpec('batch machine')
const SERVICE = readSpec('service machine')
const AMBIGUOUS = readSpec('ambiguous machine')
const TERMINAL = readSpec('interactive machine tty')

const RUN: Entry = readEntry({
  values:
    '-e --env -v --volume -p --publish --name -w --workdir -u --user --network --net --link --entrypoint --env-file --mount --restart -h --hostname --device --add-host --ulimit --tmpfs --memory -m --cpus --shm-size --label -l --log-driver --log-opt --security-opt --cap-add --cap-drop --volumes-from --ip --dns --gpus --platform --pull --ipc --pid --privileged-opt --expose --cidfile --stop-signal --stop-timeout --health-cmd --cgroupns --runtime --userns --uts --group-add --network-alias --memory-swap --sysctl --cpuset-cpus --cpu-shares -c --oom-score-adj --pids-limit --mac-address --annotation --arch --os --userns --secret --requires --pod -a --attach --domainname --dns-search --blkio-weight --init-path --isolation --kernel-memory --storage-opt --use-api-socket',
})
/** What gives a container the person's screen, sound or cameras. */
const DISPLAY = /\/tmp\/\.X11-unix|^(?:-e=?|--env=?)?DISPLAY\b|WAYLAND_DISPLAY|XAUTHORITY|\.Xauthority|\/dev\/dri\b/
const AUDIO = /\/dev\/snd|PULSE_SERVER|pulse\/native|\/run\/pulse|PULSE_COOKIE|pipewire/
const CAMERA = /\/dev\/video\d*|\/dev\/input|\/dev\/bus\/usb/

export function followDocker(from: Followed): Verdict | undefined {
  const { operands, program, shown, command } = from
  let at = operands.places[0] ?? command.words.length
  let verb = command.words[at]?.text
  if (verb === 'container' || verb === 'image' || verb === 'system') {
    at += 1
    verb = command.words[at]?.text
  }
  const rest = command.words.slice(at + 1)
  const said = `${shown}${verb === undefined ? '' : ` ${verb}`}`
  const has = (...names: string[]) => rest.some(({ text }) => names.includes(text))
  const simple = (spec: typeof BATCH) => verdictOf(spec, `"${said}"`, program, CONFIDENCE.verb)
  switch (verb) {
    case 'run':
    case 'create':
      return verb === 'create' ? simple(BATCH) : dockerRun(from, rest, said)
    case 'exec':
      return dockerExec(from, rest, said)
    case 'compose':
      return followCompose({ ...from, command: { ...command, words: rest }, shown: said })
    case 'logs':
      return simple(has('-f', '--follow') ? SERVICE : BATCH)
    case 'attach':
      return simple(TERMINAL)
    case 'stats':
      return simple(has('--no-stream') ? BATCH : SERVICE)
    case 'events':
      return simple(has('--until') ? BATCH : SERVICE)
    case 'start':
      return simple(rest.some(({ text }) => /^-[a-z]*i|^--interactive/.test(text)) ? TERMINAL : has('-a', '--attach') ? AMBIGUOUS : BATCH)
    case 'login':
      return simple(has('-p', '--password', '--password-stdin') || from.standing.inputGiven ? BATCH : TERMINAL)
    case 'push':
      return simple({ ...BATCH, effects: 'world-once' })
    case 'stack':
    case 'service':
      return simple({ ...BATCH, effects: 'world-once' })
    case 'debug':
      return simple(TERMINAL)
    default:
      return simple(BATCH)
  }
}

interface RunFlags {
  readonly detached: boolean
  readonly terminal: boolean
  readonly ports: readonly number[]
  readonly published: boolean
  readonly restarts: boolean
  readonly named: boolean
  readonly removed: boolean
  readonly configured: boolean
  readonly seat: readonly Endpoint[]
}

function readRunFlags(words: readonly Word[]): {
  readonly flags: RunFlags
  readonly image: Word | undefined
  readonly inner: readonly Word[]
  readonly entrypoint: string | undefined
} {
  const { flags, places } = readOperands(words, RUN, true)
  const imageAt = places[0] ?? words.length
  const before = words.slice(0, imageAt).map(({ text }) => text)
  const short = before.filter((text) => /^-[a-zA-Z]{1,4}$/.test(text) && (text.length === 2 || /^-[ditPq]+$/.test(text))).join('')
  const value = (name: string) => flags.find((flag) => flag.name === name)?.value
  const all = (...names: string[]) => flags.filter(({ name }) => names.includes(name))
  const published = all('-p', '--publish')
  const restart = value('--restart')
  const seat: Endpoint[] = []
  if (before.some((text) => DISPLAY.test(text)) || flags.some(({ value: one }) => one !== undefined && DISPLAY.test(one)))
    seat.push({ kind: 'display', place: 'seat' })
  else if (before.some((text) => CAMERA.test(text))) seat.push({ kind: 'display', place: 'seat' })
  if (before.some((text) => AUDIO.test(text))) seat.push({ kind: 'audio', place: 'seat' })
  const on = (name: string) => before.some((text) => text === name || text === `${name}=true`)
  return {
    flags: {
      detached: /d/.test(short.replaceAll('-', '')) || on('--detach'),
      terminal: (/t/.test(short.replaceAll('-', '')) || on('--tty')) && (/i/.test(short.replaceAll('-', '')) || on('--interactive')),
      ports: published.flatMap(({ value: one }) => hostPorts(one ?? '')).slice(0, 16),
      published: published.length > 0 || /P/.test(short) || on('--publish-all') || flags.some(({ name }) => /^-p\d/.test(name)),
      restarts: restart !== undefined && restart !== 'no',
      named: value('--name') !== undefined,
      removed: on('--rm'),
      configured: all('-e', '--env', '--env-file', '--link', '--network', '--net').length > 0,
      seat,
    },
    image: words[imageAt],
    inner: words.slice(imageAt + 1),
    entrypoint: value('--entrypoint'),
  }
}

/** `8080:80`, `127.0.0.1:8080:80`, `3000-3002:3000-3002/tcp` → the ports of the host. */
export function hostPorts(text: string): readonly number[] {
  const parts = (text.split('/')[0] ?? '').split(':')
  const host = parts.length === 1 ? parts[0] : parts.at(-2)
  const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(host ?? '')
  if (!range) return []
  const from = Number(range[1])
  const to = Math.min(Number(range[2] ?? range[1]), from + 15)
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index).filter((port) => port >= 1 && port <= 65_535)
}

/** `docker.io/library/redis:7-alpine@sha256:…` → redis. */
export const imageName = (text: string): string => (text.split('@')[0] ?? '').split('/').at(-1)?.split(':')[0]?.toLowerCase() ?? ''

function dockerRun(from: Followed, words: readonly Word[], said: string): Verdict {
  const { flags, image, inner, entrypoint } = readRunFlags(words)
  const name = imageName(image?.text ?? '')
  const endpoints: Endpoint[] = [...flags.seat]
  const decide = (verdict: Verdict): Verdict => {
    const ports: Endpoint[] = verdict.label === 'service' ? flags.ports.map((number) => ({ kind: 'port', place: 'seat', number })) : []
    return {
      ...verdict,
      effects: verdict.effects === 'world-once' ? 'world-once' : 'this-machine',
      endpoints: [...verdict.endpoints, ...endpoints, ...ports],
      programs: [from.program, ...verdict.programs.filter((one) => one !== from.program)],
    }
  }
  if (flags.seat.some(({ kind }) => kind === 'display')) {
    return decide({
      ...verdictOf({ ...BATCH, label: 'interactive' }, '', from.program, CONFIDENCE.flag),
      endpoints: [],
      reason: `"${said} ${name}" is given your display and ${labelWords('interactive', flags.seat)}`,
    })
  }
  const command = entrypoint !== undefined && entrypoint !== '' ? [{ text: entrypoint, quoted: true, dynamic: false }, ...inner] : inner
  if (flags.seat.length > 0 && !flags.detached)
    return decide({
      ...verdictOf({ ...BATCH, label: 'interactive' }, '', from.program, CONFIDENCE.verb),
      endpoints: [],
      reason: `"${said} ${name}" is given your sound and ${labelWords('interactive', flags.seat)}`,
    })
  if (flags.restarts) return decide(verdictOf(SERVICE, `"${said} ${name}", started again whenever it ends,`, from.program, CONFIDENCE.flag))
  if (flags.detached) {
    const shown = runInside(from, command, flags, said)
    if (shown && shown.label === 'batch' && shown.confidence >= CONFIDENCE.program && command.length > 0 && !flags.published)
      return decide(shown)
    return decide(verdictOf(SERVICE, `"${said} ${name}" in the background`, from.program, CONFIDENCE.verb))
  }
  // Who names the entry point runs that, whatever the image is for.
  const entered = command === inner ? undefined : runInside(from, command, flags, said)
  return decide(entered ?? foreground(from, name, command, flags, said))
}

/** A command given to a container, as it would be taken outside; its terminal is there only with -it. */
function runInside(from: Followed, words: readonly Word[], flags: RunFlags, said: string): Verdict | undefined {
  const first = words[0]
  if (!first || first.text.startsWith('-')) return undefined
  const ran = from.walk.parts.command({ words, assignments: [] }, { inputGiven: !flags.terminal, outputPiped: false }, deeper(from.walk))
  return via(`"${said}"`, ran)
}

function foreground(from: Followed, name: string, command: readonly Word[], flags: RunFlags, said: string): Verdict {
  const kind = knowledge().image(name)
  const program = knowledge().program(name)
  const subject = `"${said} ${name}"`
  const first = command[0]
  const known = first && !first.text.startsWith('-') && !first.dynamic && (kind !== 'tool' || knowledge().program(first.text) !== undefined)
  if (
    known &&
    (kind === undefined || kind !== 'service' || knowledge().program(first.text) !== undefined) &&
    !(kind === undefined && program && knowledge().program(first.text) === undefined)
  ) {
    const ran = runInside(from, command, flags, said)
    if (ran) {
      if (flags.published && ran.confidence <= CONFIDENCE.hint)
        return verdictOf(SERVICE, `${subject} with a port published`, from.program, CONFIDENCE.hint)
      if (kind === undefined && ran.confidence <= CONFIDENCE.guess && flags.removed) return { ...ran, confidence: CONFIDENCE.weakHint }
      return ran
    }
  }
  if (kind === 'service') {
    const asked = command.some(({ text }) => /^(?:--?version|--?help|-[vV]|help|version)$/.test(text))
    if (asked) return verdictOf(BATCH, `${subject}, asked a question,`, from.program, CONFIDENCE.flag)
    return verdictOf(SERVICE, subject, from.program, CONFIDENCE.program)
  }
  if (flags.published) return verdictOf(SERVICE, `${subject} with a port published`, from.program, CONFIDENCE.verb)
  if (
    program &&
    (kind === undefined || kind === 'tool') &&
    !(kind === undefined && command.length === 0 && program.none && !flags.terminal)
  ) {
    const ran = from.walk.parts.known(
      name,
      program,
      { words: command, assignments: [] },
      { inputGiven: false, outputPiped: false },
      deeper(from.walk),
      name,
    )
    return via(`"${said}"`, ran)
  }
  return byImage(from, kind, name, command, flags, subject)
}

function byImage(
  from: Followed,
  kind: ImageKind | undefined,
  name: string,
  command: readonly Word[],
  flags: RunFlags,
  subject: string,
): Verdict {
  const told = dockerfileVerdict(from.walk, from.walk.context.files)
  if (told && command.length === 0) return via(subject, told)
  if (kind === 'tool') return verdictOf(BATCH, subject, from.program, CONFIDENCE.program)
  if (kind === 'shell' || kind === 'repl') {
    if (command.length > 0) return verdictOf(BATCH, `${subject} with a command`, from.program, CONFIDENCE.hint)
    if (flags.terminal) return verdictOf(TERMINAL, `${subject} with a terminal`, from.program, CONFIDENCE.program)
    return verdictOf(AMBIGUOUS, `${subject} without a command`, from.program, CONFIDENCE.hint)
  }
  const port = portOf(command, [])
  if (port !== undefined) return verdictOf(SERVICE, `${subject} told a port`, from.program, CONFIDENCE.hint)
  const hint = imageHint(name)
  if (hint && !flags.terminal)
    return verdictOf({ ...BATCH, label: hint.label }, `${subject}, by its name,`, from.program, CONFIDENCE.weakHint)
  if (hint?.label === 'batch') return verdictOf(BATCH, `${subject}, by its name,`, from.program, CONFIDENCE.weakHint)
  if (command.length > 0) return verdictOf(BATCH, `${subject} with arguments`, from.program, CONFIDENCE.weakHint)
  if (flags.terminal) return verdictOf(AMBIGUOUS, `${subject} with a terminal`, from.program, CONFIDENCE.hint)
  if (flags.configured && !flags.removed) return verdictOf(SERVICE, `${subject}, set up like a server,`, from.program, CONFIDENCE.weakHint)
  return verdictOf(AMBIGUOUS, subject, from.program, CONFIDENCE.hint)
}

function dockerExec(from: Followed, words: readonly Word[], said: string): Verdict {
  const { places } = readOperands(words, RUN, true)
  const inner = words.slice((places[0] ?? words.length) + 1)
  const before = words.slice(0, places[0] ?? 0).map(({ text }) => text)
  const terminal = before.some((text) => /^-[a-z]*t/.test(text) || text === '--tty')
  if (inner.length === 0) return verdictOf(AMBIGUOUS, `"${said}"`, from.program, CONFIDENCE.weakHint)
  const ran = from.walk.parts.command({ words: inner, assignments: [] }, { inputGiven: !terminal, outputPiped: false }, deeper(from.walk))
  return {
    ...via(`"${said}"`, ran),
    effects: ran.effects === 'world-once' ? 'world-once' : 'this-machine',
    programs: [from.program, ...ran.programs],
  }
}

/** EXPOSE, ENTRYPOINT and CMD of a Dockerfile: the last of each counts. */
export function dockerfileVerdict(walk: Walk, files: ProjectFiles | undefined): Verdict | undefined {
  const text = files?.dockerfile
  if (text === undefined || text.length > 512 * 1024) return undefined
  const last = (name: string): string | undefined => {
    const all = [...text.replaceAll('\\\n', ' ').matchAll(new RegExp(`^[ \\t]*${name}[ \\t]+(.+)$`, 'gim'))]
    return all.at(-1)?.[1]?.trim()
  }
  const line = [last('ENTRYPOINT'), last('CMD')]
    .map((one) => (one === undefined ? '' : execForm(one)))
    .join(' ')
    .trim()
  const ran = line === '' ? undefined : followLine(line, { inputGiven: false, outputPiped: false }, deeper(walk))
  const exposed = /^\s*(\d{1,5})/.exec(last('EXPOSE') ?? '')?.[1]
  if (exposed === undefined) return ran
  if (ran && ran.label !== 'service' && ran.confidence >= CONFIDENCE.program) return ran
  const number = Number(exposed)
  const port: Endpoint[] = number >= 1 && number <= 65_535 ? [{ kind: 'port', place: 'seat', number }] : []
  return { ...verdictOf(SERVICE, `its Dockerfile exposes port ${exposed}: it`, 'docker', CONFIDENCE.verb), endpoints: port }
}

function execForm(text: string): string {
  if (!text.startsWith('[')) return text
  try {
    const words: unknown = JSON.parse(text)
    return Array.isArray(words) ? words.map((word) => `'${String(word).replaceAll("'", `'\\''`)}'`).join(' ') : text
  } catch (error) {
    if (error instanceof SyntaxError) return text // shell form that begins with a bracket
    throw error
  }
}

export function followCompose(from: Followed): Verdict {
  const { command, program, shown, walk } = from
  const values = {
    values: new Set(['-f', '--file', '-p', '--project-name', '--profile', '--env-file', '--project-directory', '--ansi']),
    cluster: false,
  }
  const { places } = readOperands(command.words, values, true)
  const at = places[0] ?? command.words.length
  const verb = command.words[at]?.text
  const rest = command.words.slice(at + 1)
  const said = `${shown}${verb === undefined ? '' : ` ${verb}`}`
  const has = (...names: string[]) => rest.some(({ text }) => names.includes(text))
  switch (verb) {
    case 'up': {
      if (has('--no-start')) return verdictOf(BATCH, `"${said}" that starts nothing`, program, CONFIDENCE.flag)
      if (has('--abort-on-container-exit', '--exit-code-from'))
        return verdictOf(BATCH, `"${said}" until its container ends`, program, CONFIDENCE.flag)
      const ports = composePorts(walk.context.files?.compose)
      return {
        ...verdictOf(SERVICE, `"${said}"`, program, CONFIDENCE.program),
        endpoints: ports.map((number) => ({ kind: 'port', place: 'seat', number })),
      }
    }
    case 'watch':
      return verdictOf(SERVICE, `"${said}"`, program, CONFIDENCE.verb)
    case 'logs':
      return verdictOf(has('-f', '--follow') ? SERVICE : BATCH, `"${said}"`, program, CONFIDENCE.verb)
    case 'attach':
      return verdictOf(TERMINAL, `"${said}"`, program, CONFIDENCE.verb)
    case 'events':
    case 'stats':
      return verdictOf(has('--no-stream') ? BATCH : SERVICE, `"${said}"`, program, CONFIDENCE.verb)
    case 'exec':
    case 'run': {
      const operands = readOperands(rest, RUN, true)
      const inner = rest.slice((operands.places[0] ?? rest.length) + 1)
      const flat = operands.flags.some(({ name }) => name === '-T' || name === '--no-TTY')
      if (operands.flags.some(({ name }) => name === '-d' || name === '--detach'))
        return verdictOf(SERVICE, `"${said}" in the background`, program, CONFIDENCE.verb)
      if (inner.length === 0) {
        const name = rest[operands.places[0] ?? -1]?.text ?? ''
        const kind = knowledge().image(name.toLowerCase())
        return verdictOf(kind === 'service' ? SERVICE : AMBIGUOUS, `"${said} ${name}"`, program, CONFIDENCE.weakHint)
      }
      const ran = walk.parts.command({ words: inner, assignments: [] }, { inputGiven: flat, outputPiped: false }, deeper(walk))
      return {
        ...via(`"${said}"`, ran),
        effects: ran.effects === 'world-once' ? 'world-once' : 'this-machine',
        programs: [program, ...ran.programs],
      }
    }
    case 'push':
      return verdictOf({ ...BATCH, effects: 'world-once' }, `"${said}"`, program, CONFIDENCE.verb)
    default:
      return verdictOf(BATCH, `"${said}"`, program, CONFIDENCE.verb)
  }
}

function composePorts(text: string | undefined): readonly number[] {
  if (text === undefined) return []
  const ports = Object.values(recordAt(readYaml(text), 'services')).flatMap((service) => {
    const list = service !== null && typeof service === 'object' ? (service as Record<string, unknown>)['ports'] : undefined
    return Array.isArray(list)
      ? list.flatMap((one) => (typeof one === 'string' || typeof one === 'number' ? hostPorts(String(one)) : []))
      : []
  })
  return [...new Set(ports)].slice(0, 16)
}
