#!/usr/bin/env node
// The command line. Plain JavaScript that old Nodes can read: it finds Node 24 (which comes as an optional dependency) and
// runs the built command line with it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const cli = path.join(root, 'dist', 'cli', 'cli.mjs')
if (!existsSync(cli)) {
  console.error(`elsewhere: ${cli} is not built. Run "npm run build" in ${root}.`)
  process.exit(1)
}
if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(cli)
} else {
  const own = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
  if (!existsSync(own)) {
    console.error(
      `elsewhere: this needs Node 24, and this is Node ${process.versions.node}. Run "npm ci" in ${root}: it brings Node 24 along.`,
    )
    process.exit(1)
  }
  const child = spawn(own, [cli, ...process.argv.slice(2)], { stdio: 'inherit' })
  // The command line decides what ends it: Ctrl-C reaches it by itself, the others are told on.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
  })
}
