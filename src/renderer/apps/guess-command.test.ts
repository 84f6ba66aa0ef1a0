import { expect, it } from 'vitest'
import { askedCommand, guessCommand } from './guess-command.ts'

it.each([
  ['build.sh', '#!/bin/sh', 'sh ./build.sh'],
  ['build', '#!/bin/bash -e', 'bash -e ./build'],
  ['tool', '#!/usr/bin/env python3', 'python3 ./tool'],
  ['tool', '#!/usr/bin/env -S deno run', 'deno run ./tool'],
  ['my script.py', 'import os', "python3 './my script.py'"],
  ['it.mjs', undefined, 'node ./it.mjs'],
  ['Makefile', 'all:', 'make'],
  ['Cargo.toml', '[package]', 'cargo build'],
  ['data.csv', '1,2', undefined],
  ['notes', '#!', undefined],
  ['photo.jpg', undefined, undefined],
])('[AP126] %s beginning with %s is run by %s', (name, firstLine, command) => expect(guessCommand(name, firstLine)).toBe(command))

it('[AP126] what nobody can guess leaves room for the program, and names are one word each', () => {
  expect(askedCommand(['data.csv', "it's.txt"])).toBe(" data.csv 'it'\\''s.txt'")
})
