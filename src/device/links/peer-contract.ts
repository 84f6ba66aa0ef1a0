import * as z from 'zod'
import { homeFilesContract } from '../../files/home-files-contract.ts'
import { attemptId, placedAttempts, placedPorts } from '../../jobs/attempt-contract.ts'
import { factsContract } from '../../jobs/device-facts-contract.ts'
import { hostTerminal, MAX_LAST_SCREEN_LENGTH } from '../../jobs/host-contract.ts'
import { tasksContract } from '../../jobs/terminal-contract.ts'
import { event, method, type Contract } from '../../rpc/contract.ts'

/*
 * What devices of one person ask of each other. Three contracts on three lanes, so that none waits for another: `control`
 * (who is who, the seat, commands), `tty` (bytes of terminals), `files` (file contents, last screens). What a device may
 * do here is checked where it happens (GrantCheck), not by `needs`: being linked is `peer:read`.
 */

const nothing = z.object({})
/** Starts of one device: one a day for three years. */
const MAX_SETTLED_STARTS = 1_000
/** Signed bytes of other rooms in URL-safe base64; their own decoders judge them. */
const signed = (maxBytes: number) =>
  z
    .string()
    .max(Math.ceil((maxBytes * 4) / 3) + 4)
    .regex(/^[A-Za-z0-9_-]*$/)
    .refine(({ length }) => length % 4 !== 1)
const deviceListBytes = signed(48 * 1024)
/** The last move and the current claim. */
const claimBytes = signed(2 * 1024 + 8)
/** Landmarks of an authority log: heads, and steps back. */
export const landmarks = z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(128)
/** Operations of an authority log, and how many the speaker holds. */
export const authorityNews = z.object({ operations: z.array(signed(32 * 1024)).max(4096), count: z.number().int().min(0).max(1e7) })
const contactId = z.string().min(32).max(44)
const keyNames = z.array(z.string().regex(/^[0-9a-f]{16}$/)).max(2048)
const openDisplays = z.array(z.object({ display: z.string().max(32), name: z.string().max(80) })).max(64)
/** What the speaker's clock says, for telling people that two clocks differ; devices of the first build do not send it. */
const clockMs = z.number().finite().min(0).max(1e15)
const terminalId = z.string().min(1).max(64)
const size = { columns: z.number().int().min(2).max(1000), rows: z.number().int().min(1).max(1000) }

export const peerContract = {
  /** First call of a link: both lists merge, and the seat as the callee knows it. */
  meet: method({
    needs: 'peer:read',
    parseInput: z.object({ devices: deviceListBytes, version: z.string().max(40), nowMs: clockMs.optional() }).parse,
    parseOutput: z.object({
      devices: deviceListBytes,
      claim: claimBytes.optional(),
      /** How long ago that claim was made, as the callee can tell. */
      claimAgeMs: z.number().nonnegative().max(1e12),
      displays: openDisplays,
      version: z.string().max(40),
      nowMs: clockMs.optional(),
    }).parse,
  }),
  /** The caller's own data folder was copied: nothing more is to be taken from it until a person has chosen. */
  sayCopied: method({ needs: 'peer:read', parseInput: nothing.parse, parseOutput: nothing.parse }),
  /** The caller's data folder had been copied; a person has chosen the caller. What these starts of it did proves nothing any more. */
  settleCopy: method({
    needs: 'peer:read',
    parseInput: z.object({ starts: z.array(z.string().regex(/^[0-9a-f]{16}$/)).max(MAX_SETTLED_STARTS) }).parse,
    parseOutput: nothing.parse,
  }),
  onDidChangeDevices: event({ needs: 'peer:read', parse: z.object({ devices: deviceListBytes }).parse }),
  /** A page of what the asker lacks of the authority log, after the first `skip`; empty: there is nothing more. */
  pullAuthority: method({
    needs: 'peer:read',
    parseInput: z.object({ have: landmarks, skip: z.number().int().min(0).max(1e7) }).parse,
    parseOutput: authorityNews.parse,
  }),
  /** Operations new to the speaker; without any, there are too many to be told: pull. */
  onDidTakeOperations: event({ needs: 'peer:read', parse: authorityNews.parse }),
  /** As pullAuthority, of a contact's log. */
  pullContactLog: method({
    needs: 'peer:read',
    parseInput: z.object({ person: contactId, have: landmarks, skip: z.number().int().min(0).max(1e7) }).parse,
    parseOutput: authorityNews.parse,
  }),
  onDidTakeContactOperations: event({ needs: 'peer:read', parse: authorityNews.extend({ person: contactId }).parse }),
  /** Names of the keys the caller holds; back come those of the callee, and the keys the caller lacks, sealed to it. */
  pullKeys: method({
    needs: 'peer:read',
    parseInput: z.object({ have: keyNames }).parse,
    parseOutput: z.object({ have: keyNames, sealed: signed(32 * 1024).optional() }).parse,
  }),
  /** The speaker holds other keys than before. */
  onDidChangeKeys: event({ needs: 'peer:read', parse: z.object({ have: keyNames }).parse }),
  onDidClaimSeat: event({ needs: 'peer:read', parse: z.object({ claim: claimBytes }).parse }),
  onDidConfirmSeat: event({ needs: 'peer:read', parse: z.object({ display: z.string().max(32), claimId: z.string().max(64) }).parse }),
  onDidChangeDisplays: event({ needs: 'peer:read', parse: openDisplays.parse }),

  openTerminal: method({
    needs: 'peer:read',
    parseInput: z.object({
      tab: z.string().min(1).max(64).optional(),
      cwd: z.string().max(4096).optional(),
      command: z.array(z.string().max(4096)).max(64).optional(),
      ...size,
    }).parse,
    parseOutput: hostTerminal.parse,
  }),
  listTerminals: method({ needs: 'peer:read', parseInput: nothing.parse, parseOutput: z.array(hostTerminal).max(1000).parse }),
  /** Where an attempt of the caller runs; by the grant of a shell. Errors: job/unknown, job/not-running, job/no-shell. */
  openJobShell: method({
    needs: 'peer:read',
    parseInput: z.object({ attempt: attemptId, ...size }).parse,
    parseOutput: hostTerminal.parse,
  }),
  endTerminal: method({ needs: 'peer:read', parseInput: z.object({ terminalId }).parse, parseOutput: nothing.parse }),
  onDidChangeTerminal: event({ needs: 'peer:read', parse: hostTerminal.parse }),

  listProcesses: method({ ...tasksContract.listProcesses, needs: 'peer:read' }),
  endProcess: method({ ...tasksContract.endProcess, needs: 'peer:read' }),
  /** How that machine is, for placement; needs the grant to run jobs there. */
  readFacts: method({ ...factsContract.readFacts, needs: 'peer:read' }),
} satisfies Contract

/** On the tty lane. */
export const peerTerminalContract = {
  attachTerminal: method({
    needs: 'peer:read',
    parseInput: z.object({ terminalId, ...size }).parse,
    parseOutput: z.object({ channel: z.number().int(), terminal: hostTerminal }).parse,
  }),
} satisfies Contract

/** On the jobs lane; each needs the grant to run jobs there. Who asks is the device that the link proved. */
export const peerJobsContract = {
  startPlaced: method({ ...placedAttempts.startPlaced, needs: 'peer:read' }),
  attachPlaced: method({ ...placedAttempts.attachPlaced, needs: 'peer:read' }),
  endPlaced: method({ ...placedAttempts.endPlaced, needs: 'peer:read' }),
} satisfies Contract

/** On the ports lane, by the grant to reach shared ports. */
export const peerPortsContract = {
  connectPort: method({ ...placedPorts.connectPort, needs: 'peer:read' }),
} satisfies Contract

/** On the files lane. */
export const peerFilesContract = {
  homeFolder: method({ ...homeFilesContract.homeFolder, needs: 'peer:read' }),
  listFolder: method({ ...homeFilesContract.listFolder, needs: 'peer:read' }),
  searchFolder: method({ ...homeFilesContract.searchFolder, needs: 'peer:read' }),
  listFolderPage: method({ ...homeFilesContract.listFolderPage, needs: 'peer:read' }),
  readText: method({ ...homeFilesContract.readText, needs: 'peer:read' }),
  readBytes: method({ ...homeFilesContract.readBytes, needs: 'peer:read' }),
  readPiece: method({ ...homeFilesContract.readPiece, needs: 'peer:read' }),
  writeText: method({ ...homeFilesContract.writeText, needs: 'peer:read' }),
  writeBytes: method({ ...homeFilesContract.writeBytes, needs: 'peer:read' }),
  beginWrite: method({ ...homeFilesContract.beginWrite, needs: 'peer:read' }),
  appendWrite: method({ ...homeFilesContract.appendWrite, needs: 'peer:read' }),
  commitWrite: method({ ...homeFilesContract.commitWrite, needs: 'peer:read' }),
  abandonWrite: method({ ...homeFilesContract.abandonWrite, needs: 'peer:read' }),
  makeFolder: method({ ...homeFilesContract.makeFolder, needs: 'peer:read' }),
  renameEntry: method({ ...homeFilesContract.renameEntry, needs: 'peer:read' }),
  trashEntry: method({ ...homeFilesContract.trashEntry, needs: 'peer:read' }),
  /** Joins the two files processes: they exchange datasets on the channel. Called by the device whose id comes first. */
  linkFiles: method({ needs: 'peer:read', parseInput: nothing.parse, parseOutput: z.object({ channel: z.number().int() }).parse }),
  /** What a terminal showed last; kept sealed, and shown dimmed while its device is away. */
  onDidChangeScreen: event({
    needs: 'peer:read',
    parse: z.object({ terminalId, screen: z.string().max(MAX_LAST_SCREEN_LENGTH), atMs: z.number() }).parse,
  }),
} satisfies Contract
