import { type RefObject, useEffect, useEffectEvent, useRef, useState } from 'react'
import { DisposableStore } from '../../../base/disposable.ts'
import { errorCode } from '../../../base/errors.ts'
import type { OutputStream } from '../../../jobs/job-frames-contract.ts'
import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import { useClient } from '../../desk/app-desk.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'
import { openApp } from '../app-hooks.ts'
import { TerminalScreen } from '../terminal/terminal-screen.ts'
import { reattachDelayMs } from '../terminal/terminal-view.ts'
import { JobOutput, type JobOutputSink } from './job-output.ts'
import { TailLines } from './tail-lines.ts'

/** A card shows a few lines: this much output holds them, progress bars included. */
const TAIL_BYTES = 16 * 1024
/** A card is drawn anew at most this often, however fast output comes. */
const TAIL_MS = 150

interface Looking {
  readonly client: DeviceClient
  readonly job: string
  readonly only: OutputStream | undefined
  readonly sink: JobOutputSink
  /** Offset to go on from; kept across breaks. */
  readonly at: { next: number }
  readonly tell: (error: unknown) => void
}

/** Looks on until disposed; begins again by itself when the channel breaks while the device is there. */
function lookOn({ client, job, only, sink, at, tell }: Looking): DisposableStore {
  const owned = new DisposableStore()
  let current: JobOutput | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let tries = 0
  /** What was seen stays seen; the channel is given back. */
  const leave = () => {
    if (current) at.next = current.next
    current?.dispose()
    current = undefined
  }
  owned.defer(() => {
    clearTimeout(timer)
    leave()
  })
  const again = () => {
    if (!owned.isDisposed) timer = setTimeout(() => void open(), reattachDelayMs(tries++))
  }
  const open = async () => {
    try {
      const output = await JobOutput.open(client, { job, only, from: at.next }, sink)
      if (owned.isDisposed) return output.dispose()
      current = output
      let ended = false
      output.onDidEnd(() => {
        ended = true
      })
      output.onDidClose(() => {
        leave()
        if (!ended) again()
      })
      output.start()
      tries = 0
      tell(undefined)
    } catch (error) {
      if (owned.isDisposed) return
      tell(error)
      if (errorCode(error) !== 'job/unknown') again()
    }
  }
  void open()
  return owned
}

/** The newest lines of a job's output, as plain text. */
export function useJobTail({ job, outputBytes, attempts }: JobInfo, count: number): readonly string[] {
  const client = useClient()
  const [lines, setLines] = useState<readonly string[]>([])
  const begin = useEffectEvent(() => Math.max(0, outputBytes - TAIL_BYTES))
  const silent = outputBytes === 0 && attempts.length === 0
  useEffect(() => {
    if (!client || silent) return
    const tail = new TailLines(count)
    let timer: ReturnType<typeof setTimeout> | undefined
    const show = () => {
      timer = undefined
      setLines(tail.lines)
    }
    const sink: JobOutputSink = {
      write(data, done) {
        tail.write(data)
        timer ??= setTimeout(show, TAIL_MS)
        done()
      },
    }
    const looking = lookOn({ client, job, only: undefined, sink, at: { next: begin() }, tell: () => {} })
    return () => {
      clearTimeout(timer)
      looking.dispose()
    }
  }, [client, job, count, silent])
  return lines
}

export interface OutputScreen {
  readonly place: RefObject<HTMLDivElement | null>
  readonly screen: TerminalScreen | undefined
  /** Why no output can be shown just now. */
  readonly error: unknown
}

/** All of a job's output on a screen that takes no keys, and what comes as it comes. `only`: one of its streams. */
export function useOutputScreen(job: string, only: OutputStream | undefined, fontPx: number): OutputScreen {
  const client = useClient()
  const place = useRef<HTMLDivElement>(null)
  const [screen, setScreen] = useState<TerminalScreen>()
  const [error, setError] = useState<unknown>()
  /** What has been drawn on which screen: another screen begins from the start. */
  const read = useRef<{ screen: TerminalScreen | undefined; key: string; next: number }>({ screen: undefined, key: '', next: 0 })

  useEffect(() => {
    const element = place.current
    if (!element) return
    let made: TerminalScreen | undefined
    let gone = false
    void document.fonts.load('13px "JetBrains Mono Variable"').then(() => {
      if (gone) return
      made = new TerminalScreen(element, { fontPx, readOnly: 'Output', openLink: (url) => openApp({ kind: 'web', url }) })
      setScreen(made)
    })
    return () => {
      gone = true
      made?.dispose()
      setScreen(undefined)
    }
  }, [fontPx])

  useEffect(() => {
    if (!screen || !place.current) return
    const fit = () => {
      const size = screen.ownSize()
      if (size) screen.show(size, size)
    }
    const observer = new ResizeObserver(fit) // tells the first size by itself
    observer.observe(place.current)
    return () => observer.disconnect()
  }, [screen])

  useEffect(() => {
    if (!client || !screen) return
    const key = `${job} ${only ?? ''}`
    if (read.current.key !== key || read.current.screen !== screen) read.current = { screen, key, next: 0 }
    const at = read.current
    if (at.next === 0) screen.clear()
    const looking = lookOn({ client, job, only, sink: screen, at, tell: setError })
    return () => looking.dispose()
  }, [client, screen, job, only])
  return { place, screen, error }
}
