import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** A virtual screen of its own, so that a headful browser paints as it does for a person; with openbox on it where that is installed. */
export interface VirtualScreen {
  readonly display: string
  stop(): Promise<void>
}

/** Ends a process we started: TERM, then KILL after `graceMs`. */
export async function endProcess(child: ChildProcess, graceMs = 5_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await ended
  clearTimeout(timer)
}

/** Until a window manager has taken the screen. */
const MANAGER_MS = 500

/** @throws Error  Xvfb is not installed, or did not come up */
export async function startVirtualScreen(width = 1440, height = 900): Promise<VirtualScreen> {
  for (let number = 90; number < 120; number++) {
    const socket = `/tmp/.X11-unix/X${number}`
    if (existsSync(socket) || existsSync(`/tmp/.X${number}-lock`)) continue
    const child = spawn('Xvfb', [`:${number}`, '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp'], { stdio: 'ignore' })
    const missing = new Promise<never>((_resolve, reject) => {
      child.once('error', () => reject(new Error('Xvfb is not installed: apt-get install xvfb')))
    })
    for (let i = 0; i < 100 && child.exitCode === null; i++) {
      if (existsSync(socket)) return withWindowManager(`:${number}`, child)
      await Promise.race([delay(50), missing])
    }
    await endProcess(child)
  }
  throw new Error('no free virtual screen between :90 and :119')
}

/** A window without a manager has no frame, and nobody answers what a browser asks before it shows itself. */
async function withWindowManager(display: string, screen: ChildProcess): Promise<VirtualScreen> {
  const manager = spawn('openbox', { stdio: 'ignore', env: { ...process.env, DISPLAY: display } })
  const missing = await Promise.race([
    new Promise<true>((resolve) => manager.once('error', () => resolve(true))),
    delay(MANAGER_MS).then(() => false),
  ])
  const stop = async () => {
    if (!missing) await endProcess(manager)
    await endProcess(screen)
  }
  return { display, stop }
}
