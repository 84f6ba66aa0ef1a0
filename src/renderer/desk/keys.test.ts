import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bindingOf, type KeyPress } from '../../base/key-binding.ts'
import { createKeymap, DESK_COMMANDS } from './desk-commands.ts'
import { deskMayTake, normaliseBinding } from './keys.ts'

const press = (key: string, code: string, held = ''): KeyPress => ({
  key,
  code,
  ctrlKey: held.includes('C'),
  altKey: held.includes('A'),
  shiftKey: held.includes('S'),
  metaKey: held.includes('M'),
})

describe('bindingOf', () => {
  it.each([
    { name: 'a letter', press: press('k', 'KeyK', 'C'), binding: 'Ctrl+K' },
    { name: 'the order of modifiers is fixed', press: press('E', 'KeyE', 'SCA'), binding: 'Ctrl+Alt+Shift+E' },
    { name: 'Alt on a Mac types another sign', press: press('¬', 'KeyL', 'A'), binding: 'Alt+L' },
    { name: 'Shift changes what a digit types', press: press('!', 'Digit1', 'CS'), binding: 'Ctrl+Shift+1' },
    { name: 'a letter is where the layout has it', press: press('z', 'KeyY', 'C'), binding: 'Ctrl+Z' },
    { name: 'a named key', press: press('ArrowLeft', 'ArrowLeft', 'M'), binding: 'Super+ArrowLeft' },
    { name: 'the space bar', press: press(' ', 'Space', 'A'), binding: 'Alt+Space' },
    { name: 'only a modifier', press: press('Control', 'ControlLeft', 'C'), binding: undefined },
  ])('$name', ({ press, binding }) => expect(bindingOf(press)).toBe(binding))
})

describe('normaliseBinding', () => {
  it.each([
    ['Shift+Ctrl+k', 'Ctrl+Shift+K'],
    ['Alt + F7', 'Alt+F7'],
    ['', undefined],
    ['Hyper+K', undefined],
    ['Ctrl+Ctrl+K', undefined],
    [`Ctrl+${'x'.repeat(40)}`, undefined],
  ])('%s', (text, binding) => expect(normaliseBinding(text)).toBe(binding))

  it('leaves its own results alone', () => {
    fc.assert(
      fc.property(fc.subarray(['Ctrl', 'Alt', 'Shift', 'Super']), fc.constantFrom('K', 'F7', 'ArrowLeft', '1'), (held, key) => {
        const once = normaliseBinding([...held, key].join('+'))
        expect(once).toBeDefined()
        expect(normaliseBinding(once as string)).toBe(once)
      }),
    )
  })
})

describe('deskMayTake', () => {
  it.each([
    ['Ctrl+K', 'terminal', false],
    ['Ctrl+Shift+K', 'terminal', true],
    ['Super+ArrowLeft', 'terminal', true],
    ['Alt+F7', 'terminal', false],
    ['Ctrl+Alt+Shift+K', 'terminal', false],
    ['Ctrl+Z', 'text', false],
    ['Ctrl+Z', 'desk', true],
    ['Ctrl+K', 'text', true],
    ['Ctrl+C', 'text', false],
    ['K', 'text', false],
    ['Shift+K', 'text', false],
    ['Alt+F7', 'text', true],
  ] as const)('%s in %s: %s', (binding, focus, may) => expect(deskMayTake(binding, focus)).toBe(may))
})

describe('createKeymap', () => {
  it('no two commands share a default binding', () => {
    const seen = new Map<string, string>()
    for (const command of DESK_COMMANDS as readonly { id: string; keys?: string; twin?: string }[]) {
      for (const keys of [command.keys, command.twin]) {
        if (!keys) continue
        expect(seen.get(keys) ?? command.id, keys).toBe(command.id)
        seen.set(keys, command.id)
        expect(normaliseBinding(keys)).toBe(keys)
      }
    }
  })

  it('everything bound in a terminal can reach the desk from there', () => {
    for (const command of DESK_COMMANDS as readonly { inTerminal?: string }[]) {
      if (command.inTerminal) expect(deskMayTake(command.inTerminal, 'terminal'), command.inTerminal).toBe(true)
    }
  })

  it('shows the twin in a browser and the first binding in the app; both run it', () => {
    expect(createKeymap('app').keysOf('close-tab')).toBe('Ctrl+W')
    const browser = createKeymap('browser')
    expect(browser.keysOf('close-tab')).toBe('Alt+W')
    expect(browser.commandFor('Alt+W', false)).toBe('close-tab')
    expect(browser.commandFor('Ctrl+W', false)).toBe('close-tab')
  })

  it("the person's own binding replaces the default, also one that another command had", () => {
    const keymap = createKeymap('app', { palette: ['Ctrl+W', 'F2'], minimise: [] })
    expect(keymap.commandFor('Ctrl+W', false)).toBe('palette')
    expect(keymap.commandFor('F2', false)).toBe('palette')
    expect(keymap.keysOf('palette')).toBe('Ctrl+W')
    expect(keymap.commandFor('Ctrl+K', false)).toBeUndefined()
    expect(keymap.keysOf('minimise')).toBeUndefined()
    expect(keymap.commandFor('Alt+M', false)).toBeUndefined()
  })

  it('passes over what is no binding, and ids that are no command', () => {
    const keymap = createKeymap('app', { palette: ['nonsense+'], constructor: ['Ctrl+J'] })
    expect(keymap.commandFor('Ctrl+J', false)).toBeUndefined()
    expect(keymap.keysOf('palette')).toBeUndefined()
  })
})
