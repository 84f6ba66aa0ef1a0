import { parseArgs } from 'node:util'
import { DisposableStore } from '../../base/disposable.ts'
import { CancelledError, errorMessage } from '../../base/errors.ts'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'
import type { DeviceClient } from './local-client.ts'
import { drawTop } from './tui/draw-top.ts'
import { FullScreen } from './tui/full-screen.ts'
import { readLook } from './tui/top-look.ts'
import { reduceTop, TOP_START, type TopEffect, type TopInput } from './tui/top-state.ts'

/** As the Task manager: a look costs each device some ms. */
const LOOK_MS = 2_000

export const topCommand: Command = {
  summary: 'watch your devices and what runs on them',
  help: `Shows your devices with their load, and the jobs that were asked for here, wherever they run.

  up, down  select a job      x  cancel it (asks)      s  sort: newest, device, state, command
  a  also those that are over      r  look again      q  quit

${DATA_OPTION}
  --json       print one look, for programs`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: { ...dataOptions, json: { type: 'boolean', default: false } } })
    return withDevice(values.data, async (device) => {
      if (values.json) {
        const look = await readLook(device, Date.now())
        console.log(JSON.stringify({ ...look, jobs: look.jobs.filter(({ endedAtMs }) => endedAtMs === undefined) }, undefined, 2))
        return 0
      }
      if (!process.stdin.isTTY || !process.stdout.isTTY || process.env.TERM === 'dumb')
        throw new TypeError('top wants a terminal; --json prints one look')
      await watch(device)
      return 0
    })
  },
}

function watch(device: DeviceClient): Promise<void> {
  return new Promise((resolve, reject) => {
    let state = TOP_START
    let isOver = false
    let isLooking = false
    let again: NodeJS.Timeout | undefined
    const end = (error?: unknown) => {
      if (isOver) return
      isOver = true
      clearTimeout(again)
      changed.dispose()
      screen.dispose()
      if (error === undefined) resolve()
      else reject(error)
    }
    /** Whatever happens in here gives the terminal back first. */
    const guarded = (work: () => void) => {
      try {
        if (!isOver) work()
      } catch (error) {
        end(error)
      }
    }
    const draw = () => guarded(() => screen.draw(drawTop(state, screen.size)))
    const take = (input: TopInput) =>
      guarded(() => {
        const next = reduceTop(state, input)
        state = next.state
        draw()
        if (next.effect) act(next.effect)
      })
    const act = (effect: TopEffect) => {
      if (effect.kind === 'quit') return end()
      if (effect.kind === 'look') return look()
      device.cancelJob({ job: effect.job }).then(
        () => take({ kind: 'say', message: 'cancelled' }),
        (error: unknown) => take({ kind: 'say', message: `it could not be cancelled: ${errorMessage(error)}` }),
      )
    }
    const look = () => {
      if (isLooking || isOver) return
      isLooking = true
      clearTimeout(again)
      readLook(device, Date.now())
        .then((found) => take({ kind: 'look', look: found }), end)
        .finally(() => {
          isLooking = false
          if (!isOver) again = setTimeout(look, LOOK_MS)
        })
    }
    const screen = new FullScreen({
      input: process.stdin,
      output: process.stdout,
      onKey: (key) => take({ kind: 'key', key }),
      onDraw: draw,
      onEnd: () => end(new CancelledError('a signal ended it')),
    })
    const changed = new DisposableStore()
    changed.add(device.onDidChangeJob(() => look()))
    changed.add(device.onDidClose(({ reason }) => end(new CancelledError(`the device let go (${reason})`))))
    draw()
    look()
  })
}
