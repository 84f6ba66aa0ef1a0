import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../base/clock.ts'
import { insideOf, OVER_WINDOWS, overlaps, SETTLE_MS, type Sight, ViewPlacer } from './view-place.ts'

const HERE = { x: 10, y: 20, width: 300, height: 200 }
const THERE = { ...HERE, x: 60 }

function setup() {
  let nowMs = 0
  const timers = new Set<{ atMs: number; callback: () => void }>()
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after: (delayMs, callback) => {
      const timer = { atMs: nowMs + delayMs, callback }
      timers.add(timer)
      return { dispose: () => void timers.delete(timer) }
    },
    every: () => ({ dispose() {} }),
  }
  let sight: Sight = { bounds: HERE, clear: true }
  const did: string[] = []
  let slow: Promise<void> = Promise.resolve()
  const placer = new ViewPlacer(
    () => sight,
    {
      show: async (bounds) => {
        await slow
        did.push(`show ${bounds.x}`)
      },
      hide: async (picture) => {
        await slow
        did.push(picture ? 'hide, picture' : 'hide')
        return picture ? 'data:' : null
      },
      setPicture: (picture) => did.push(picture ? 'picture' : 'no picture'),
    },
    clock,
  )
  const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 0))
  const see = async (next: Sight) => {
    sight = next
    placer.check()
    await settle()
  }
  const pass = async (ms: number) => {
    nowMs += ms
    for (const timer of [...timers].filter(({ atMs }) => atMs <= nowMs)) {
      timers.delete(timer)
      timer.callback()
    }
    await settle()
  }
  const taken = () => did.splice(0)
  return { placer, see, pass, taken, settle, timers, hold: (until: Promise<void>) => (slow = until) }
}

describe('[AP43] where a view is', () => {
  it('shows at once, and not again while nothing changes', async () => {
    const { see, taken } = setup()
    await see({ bounds: HERE, clear: true })
    await see({ bounds: HERE, clear: true })
    expect(taken()).toEqual(['show 10', 'no picture'])
  })

  it('stands as a picture while it moves, and is back when it has come to rest', async () => {
    const { see, pass, taken } = setup()
    await see({ bounds: HERE, clear: true })
    taken()
    for (const x of [20, 30, 40]) {
      await see({ bounds: { ...HERE, x }, clear: true })
      await pass(SETTLE_MS / 2)
    }
    expect(taken()).toEqual(['hide, picture', 'picture'])
    await pass(SETTLE_MS)
    expect(taken()).toEqual(['show 40', 'no picture'])
  })

  it('what was outdated before its turn is left out', async () => {
    const { see, pass, taken, settle, hold } = setup()
    await see({ bounds: HERE, clear: true })
    taken()
    let go = () => {}
    hold(new Promise((resolve) => (go = resolve)))
    await see({ bounds: HERE, clear: false })
    await see({ bounds: THERE, clear: true })
    await pass(SETTLE_MS)
    await see({ bounds: HERE, clear: false })
    go()
    await settle()
    expect(taken()).toEqual(['hide, picture', 'picture'])
  })
})

describe('[AP44] when a view is out of sight', () => {
  it('under anything of the desk, and back afterwards', async () => {
    const { see, taken } = setup()
    await see({ bounds: HERE, clear: false })
    expect(taken()).toEqual([]) // never shown: nothing to hide
    await see({ bounds: HERE, clear: true })
    await see({ bounds: HERE, clear: false })
    await see({ bounds: HERE, clear: true })
    expect(taken()).toEqual(['show 10', 'no picture', 'hide, picture', 'picture', 'show 10', 'no picture'])
  })

  it('everything that has a layer over windows is known', () => {
    // Beside windows, never over them; or only while something is dragged; or the box around what is in the list.
    const apart = ['.dock', '.elsewhere', '.top-bar', '.tab-ghost', '.tab-mark', '.ui-toasts', '.ui-menu-positioner', '.job-stack']
    const styles = path.resolve(import.meta.dirname, '..')
    const layered = globSync('**/*.css', { cwd: styles }).flatMap((file) =>
      [
        ...readFileSync(path.join(styles, file), 'utf8').matchAll(/([^{}]+)\{[^{}]*z-index: var\(--layer-(?!wallpaper|windows)[a-z]+\)/g),
      ].map(([, selector]) => (selector ?? '').replaceAll(/\/\*[\s\S]*?\*\//g, '').trim()),
    )
    expect(layered.length).toBeGreaterThan(10)
    expect(layered.filter((selector) => !apart.includes(selector) && !OVER_WINDOWS.some((over) => over.startsWith(selector)))).toEqual([])
  })

  it('where it has no room, and when its page is left', async () => {
    const { placer, see, taken, settle, timers } = setup()
    await see({ bounds: HERE, clear: true })
    await see({ bounds: undefined, clear: false })
    expect(taken()).toEqual(['show 10', 'no picture', 'hide', 'no picture'])
    await see({ bounds: THERE, clear: true })
    expect(timers.size).toBe(1)
    placer.dispose()
    placer.dispose()
    await see({ bounds: HERE, clear: true })
    await settle()
    expect([taken(), timers.size]).toEqual([[], 0])
  })

  it('a view that is being shown when its page is left is hidden', async () => {
    const { placer, see, taken, settle, hold } = setup()
    let go = () => {}
    hold(new Promise((resolve) => (go = resolve)))
    await see({ bounds: HERE, clear: true })
    placer.dispose()
    go()
    await settle()
    expect(taken()).toEqual(['show 10', 'hide'])
  })

  it.each([
    [
      { left: 0.4, top: 0.6, right: 10.7, bottom: 20.2 },
      { x: 1, y: 1, width: 9, height: 19 },
    ],
    [{ left: 5, top: 5, right: 5.9, bottom: 50 }, undefined],
  ])('whole pixels inside %j', (box, inside) => expect(insideOf(box)).toEqual(inside))

  it('neighbours that only touch do not overlap', () => {
    expect(overlaps(HERE, { ...HERE, x: HERE.x + HERE.width })).toBe(false)
    expect(overlaps(HERE, { x: 0, y: 0, width: 11, height: 21 })).toBe(true)
  })
})
