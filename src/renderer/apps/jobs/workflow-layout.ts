import type { StepInfo } from '../../../jobs/workflow/workflow-contract.ts'

/* Where the boxes and lines of a workflow's graph are: pure, in CSS px. */

export const BOX_WIDTH = 168
const COLUMN_GAP = 40
const ROW_GAP = 16
const HEADER = 32
const STEP = 26
const PADDING = 6
/** With more steps a job shows a cell for each. */
export const MAX_STEP_ROWS = 6
export const CELLS_A_ROW = 10
const CELL_ROW = 19

export interface GraphBox {
  readonly job: string
  /** One of a job without a matrix. */
  readonly steps: readonly StepInfo[]
  readonly look: 'single' | 'rows' | 'cells'
  readonly x: number
  readonly y: number
  readonly height: number
}

export interface GraphLine {
  readonly from: string
  readonly to: string
  /** Of an SVG path. */
  readonly d: string
}

export interface Graph {
  readonly boxes: readonly GraphBox[]
  readonly lines: readonly GraphLine[]
  readonly width: number
  readonly height: number
}

/**
 * Jobs in columns, each right of all it needs, near those it needs. Lines that others say already are left out: of a needs b needs c,
 * and a needs c, the last.
 *
 * @param steps  what a step needs stands before it
 */
export function layoutGraph(steps: readonly StepInfo[]): Graph {
  const jobs = new Map<string, StepInfo[]>()
  for (const step of steps) jobs.set(step.job, [...(jobs.get(step.job) ?? []), step])
  const needsOf = (job: string): readonly string[] => (jobs.get(job)?.[0]?.needs ?? []).filter((need) => jobs.has(need))
  const column = new Map<string, number>()
  const before = new Map<string, Set<string>>()
  for (const job of jobs.keys()) {
    const needs = needsOf(job)
    column.set(job, Math.max(-1, ...needs.map((need) => column.get(need) ?? 0)) + 1)
    before.set(job, new Set(needs.flatMap((need) => [need, ...(before.get(need) ?? [])])))
  }
  const boxes = new Map<string, GraphBox>()
  const columns = Math.max(-1, ...column.values()) + 1
  let height = 0
  for (let at = 0; at < columns; at++) {
    const here = [...jobs.keys()].filter((job) => column.get(job) === at)
    const wanted = new Map(here.map((job) => [job, middleOf(needsOf(job).flatMap((need) => boxes.get(need) ?? []))]))
    let y = 0
    for (const job of here.toSorted((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0))) {
      const own = jobs.get(job) as StepInfo[]
      const look = own.length === 1 && own[0]?.step === job ? 'single' : own.length <= MAX_STEP_ROWS ? 'rows' : 'cells'
      const box = { job, steps: own, look, x: at * (BOX_WIDTH + COLUMN_GAP), y, height: heightOf(look, own.length) } as const
      boxes.set(job, box)
      y += box.height + ROW_GAP
    }
    height = Math.max(height, y - ROW_GAP)
  }
  // Each column stands in the middle of the tallest.
  for (let at = 0; at < columns; at++) {
    const here = [...boxes.values()].filter(({ job }) => column.get(job) === at)
    const end = Math.max(...here.map((box) => box.y + box.height))
    for (const box of here) boxes.set(box.job, { ...box, y: box.y + Math.round((height - end) / 2) })
  }
  const lines = [...jobs.keys()].flatMap((to) => {
    const needs = needsOf(to)
    const said = new Set(needs.flatMap((need) => [...(before.get(need) ?? [])]))
    return [...new Set(needs)]
      .filter((need) => !said.has(need))
      .map((from) => lineOf(boxes.get(from) as GraphBox, boxes.get(to) as GraphBox))
  })
  return { boxes: [...boxes.values()], lines, width: Math.max(0, columns * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP), height }
}

const heightOf = (look: GraphBox['look'], count: number): number =>
  look === 'single' ? HEADER + 4 : HEADER + PADDING + (look === 'rows' ? STEP * count : CELL_ROW * Math.ceil(count / CELLS_A_ROW) + PADDING)

const middleOf = (boxes: readonly GraphBox[]): number =>
  boxes.length === 0 ? 0 : boxes.reduce((sum, { y, height }) => sum + y + height / 2, 0) / boxes.length

function lineOf(from: GraphBox, to: GraphBox): GraphLine {
  const [x1, y1, x2, y2] = [from.x + BOX_WIDTH, from.y + from.height / 2, to.x, to.y + to.height / 2]
  const bend = Math.max(COLUMN_GAP / 2, (x2 - x1) / 2)
  return { from: from.job, to: to.job, d: `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }
}
