import { describe, expect, it } from 'vitest'
import { type AppState, appDevice, appState, appTitle, MAX_WEB_HISTORY } from './app-state.ts'

const EXAMPLES: readonly [AppState, title: string, device: string | null][] = [
  [{ kind: 'terminal', device: 'd', terminalId: 't', cwd: '/home/ada', title: '' }, 'ada', 'd'],
  [{ kind: 'terminal', device: 'd', terminalId: null, cwd: null, title: '' }, 'Terminal', 'd'],
  [{ kind: 'terminal', device: 'd', terminalId: 't', cwd: '/', title: 'vim' }, 'vim', 'd'],
  [appState.parse({ kind: 'editor', device: 'd', path: '/a/b.ts', textDoc: 'text/x1', version: 'v' }), 'b.ts', 'd'],
  [appState.parse({ kind: 'editor', device: 'd', path: null, textDoc: null, version: null }), 'Untitled', 'd'],
  [appState.parse({ kind: 'files', device: 'd', path: '/srv/data/' }), 'data', 'd'],
  [appState.parse({ kind: 'files', device: 'd', path: null }), 'Home', 'd'],
  [appState.parse({ kind: 'files', device: 'elsewhere', path: '/' }), 'Elsewhere', null],
  [appState.parse({ kind: 'editor', device: 'elsewhere', path: '/Home/b.md', textDoc: null, version: null }), 'b.md', null],
  [appState.parse({ kind: 'web', url: 'https://a.example/' }), 'https://a.example/', null],
  [appState.parse({ kind: 'web', url: '' }), 'New page', null],
  [{ kind: 'devices' }, 'Devices', null],
  [{ kind: 'settings', page: '' }, 'Settings', null],
  [{ kind: 'tasks', device: null }, 'Task manager', null],
  [{ kind: 'jobs', job: null, show: 'all', page: 'jobs', workflow: null, step: null }, 'Jobs', null],
  [{ kind: 'welcome' }, 'Welcome', null],
]

describe('app state', () => {
  it.each(EXAMPLES)('[SE17] %j parses to itself and is called %s', (app, title, device) => {
    expect(appState.parse(app)).toEqual(app)
    expect(appTitle(app)).toBe(title)
    expect(appDevice(app)).toBe(device)
  })

  it.each([
    ['a kind nobody knows', { kind: 'game' }],
    ['a terminal without device', { kind: 'terminal', terminalId: 't', cwd: '/', title: '' }],
    ['a file without device', { kind: 'editor', path: '/etc/passwd', textDoc: null, version: null }],
    ['a path without end', { kind: 'files', device: 'd', path: '/'.repeat(5_000) }],
    ['a text document of another kind', { kind: 'editor', device: 'd', path: null, textDoc: 'workspace', version: null }],
    ['a text document out of its folder', { kind: 'editor', device: 'd', path: null, textDoc: 'text/../x', version: null }],
    [
      'a cursor before the start',
      { kind: 'editor', device: 'd', path: null, textDoc: null, version: null, selection: { anchor: -1, head: 0 } },
    ],
    ['a history without end', { kind: 'web', url: 'x', history: Array.from({ length: MAX_WEB_HISTORY + 1 }, () => 'x') }],
    ['scrolling nowhere', { kind: 'web', url: 'x', scrollY: Number.NaN }],
  ])('[SE17] %s is refused', (_, value) => {
    expect(appState.safeParse(value).success).toBe(false)
  })
})
