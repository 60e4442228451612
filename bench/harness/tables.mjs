// Results as tables in Markdown, for the terminal and for README.md.
import { KINDS } from './kinds.mjs'
import { describe } from './run-scenario.mjs'

/** @param scenario as in scenarios.mjs; @param result of one setting */
export function tableOf(name, scenario, result) {
  const columns = KINDS[scenario.kind].columns(result)
  const first = result.setting.grows ?? 'side'
  const header = [first, ...columns.map(([title]) => title)]
  const rows = result.rows.map((row) => [row.name, ...columns.map(([, show]) => show(row))])
  return [
    `**${titleOf(name, result)}**`,
    '',
    `| ${header.join(' | ')} |`,
    `| --- |${' ---: |'.repeat(columns.length)}`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    ...(result.missing.length > 0 ? ['', ...result.missing.map(noteOf)] : []),
  ].join('\n')
}

function titleOf(name, { setting, rounds }) {
  const about = describe(setting)
  return `${name}${about && `, ${about}`}; ${rounds} round${rounds === 1 ? '' : 's'}`
}

function noteOf({ name, missing }) {
  return `- ${name}: not measured, ${missing}.`
}
