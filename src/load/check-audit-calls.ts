import type { Diagnostic } from '../domain/diagnostic.js';
import type { AuditCall, Model } from '../domain/model.js';
import { didYouMean } from '../domain/near-miss.js';
import type { Project } from '../domain/project.js';
import { auditCallProblems } from '../parse/audit-query.js';
import { bindingScope } from './macro-scope.js';

/** What is wrong with the audits that models ask for, before any of them runs: no such audit, or not with these arguments. */
export function checkAuditCalls(project: Project): readonly Diagnostic[] {
  return project.models
    .filter((model) => model.audits.length > 0)
    .flatMap((model) => {
      const inline = new Map(model.inlineAudits.map((audit) => [audit.name, audit]));
      return model.audits.flatMap((call): readonly Diagnostic[] => {
        const audit = inline.get(call.name) ?? project.audits.get(call.name);
        if (audit === undefined) return [unknownAudit(call, [...project.audits.keys(), ...inline.keys()])];
        if (audit.standalone !== undefined) return [standsAlone(call, model)];
        const checked = auditCallProblems(call, audit, () => bindingScope(project, model).scope);
        return checked.ok ? checked.warnings : checked.errors;
      });
    });
}

function unknownAudit(call: AuditCall, known: readonly string[]): Diagnostic {
  return {
    code: 'SL0804',
    severity: 'error',
    message: `there is no audit "${call.name}"`,
    location: call.location,
    hint: didYouMean(call.name, known) ?? `known are ${known.join(', ')}`,
  };
}

function standsAlone(call: AuditCall, model: Model): Diagnostic {
  return {
    code: 'SL0804',
    severity: 'error',
    message: `audit "${call.name}" stands alone: ${model.key} cannot ask for it`,
    location: call.location,
    hint: 'leave it out here, or take standalone true out of the audit',
  };
}
