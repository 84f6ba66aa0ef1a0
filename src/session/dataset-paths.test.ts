import { expect, it } from 'vitest'
import { appState, type AppStateInput, ELSEWHERE } from './app-state.ts'
import { datasetPathsInView } from './dataset-paths.ts'
import type { SessionState } from './session-state.ts'

const editor = (path: string, device: string = ELSEWHERE): AppStateInput => ({ kind: 'editor', device, path, textDoc: null, version: null })
const files = (path: string | null): AppStateInput => ({ kind: 'files', device: ELSEWHERE, path })

it('[SE18] what windows in view show of the datasets, the tabs in front first, from the nearest window on', () => {
  const tabs = {
    a: editor('/Home/far.md'),
    b: editor('/Home/near.md'),
    c: files('/Home/docs'),
    d: editor('/Home/behind.md'),
    e: editor('/home/ada/own.md', 'aDevice'),
    f: editor('/Home/minimised.md'),
    g: editor('/Home/other-activity.md'),
    h: files(null),
    i: editor('/Home/near.md'),
  }
  const window = (activity: string, minimised: boolean, ids: string[]) => ({ activity, minimised, tabs: ids, activeTab: ids[0] })
  const state = {
    currentActivity: 'now',
    stack: ['w1', 'w2', 'w3', 'w4', 'gone', 'w5'],
    windows: {
      w1: window('now', false, ['a', 'e', 'i']),
      w2: window('now', true, ['f']),
      w3: window('other', false, ['g']),
      w4: window('now', false, ['c', 'h']),
      w5: window('now', false, ['b', 'd']),
    },
    tabs: Object.fromEntries(Object.entries(tabs).map(([id, app]) => [id, { app: appState.parse(app) }])),
  } as unknown as SessionState
  expect(datasetPathsInView(state)).toEqual(['/Home/near.md', '/Home/docs', '/Home/far.md', '/Home/behind.md'])
})
