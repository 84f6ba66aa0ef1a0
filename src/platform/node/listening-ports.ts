import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** TCP ports that these processes listen on, as their own network namespace tells it. Empty off Linux. */
export function listeningPorts(pids: readonly number[]): number[] {
  const ports = new Set<number>()
  const namespaces = new Map<string, Map<string, number>>()
  for (const pid of pids) {
    const sockets = socketsOf(pid)
    if (sockets.length === 0) continue
    const namespace = link(`/proc/${pid}/ns/net`)
    if (namespace === undefined) continue
    let listening = namespaces.get(namespace)
    if (!listening) namespaces.set(namespace, (listening = listeningIn(pid)))
    for (const inode of sockets) {
      const port = listening.get(inode)
      if (port !== undefined) ports.add(port)
    }
  }
  return [...ports].sort((a, b) => a - b)
}

function socketsOf(pid: number): string[] {
  let names: string[]
  try {
    names = readdirSync(`/proc/${pid}/fd`)
  } catch {
    return [] // it has ended, or is not ours
  }
  return names.flatMap((name) => /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${name}`) ?? '')?.[1] ?? [])
}

/** Inode of each listening socket, with its port. */
function listeningIn(pid: number): Map<string, number> {
  const found = new Map<string, number>()
  for (const file of ['tcp', 'tcp6']) {
    let text: string
    try {
      text = readFileSync(`/proc/${pid}/net/${file}`, 'utf8')
    } catch {
      continue // no IPv6 there, or it has ended
    }
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      const port = fields[1]?.split(':')[1]
      if (fields[3] === '0A' && port !== undefined && fields[9] !== undefined) found.set(fields[9], Number.parseInt(port, 16))
    }
  }
  return found
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined // gone
  }
}
