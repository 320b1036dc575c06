// Decoded fields of an event, as the schema says they are shown: hexadecimal with its digits, numbers with their unit.
import { eventFields, eventTypes } from '../gen/events';

const UNIT_SIGN: Record<string, string> = { us: 'µs', deg: '°', percent: '%', permille: '‰' };

export const typeTitle = (type: string): string => eventTypes[type]?.title ?? type;

/** "can_id" -> "CAN id": the field's name with the abbreviations of the trade in capitals. */
export function fieldLabel(name: string): string {
  const words = name.split('_').map((w) => (/^(can|dlc|pdu|nrc|did|ip|mac|vlan|tec|rec|ecu|dtc|uid|pid|rssi|evse|crc|tls)$/.test(w) ? w.toUpperCase() : w));
  const first = words[0] ?? name;
  return [first.charAt(0).toUpperCase() + first.slice(1), ...words.slice(1)].join(' ');
}

export const fieldText = (name: string): string => eventFields[name]?.text ?? '';

function formatHex(value: number | string, digits: number): string {
  const n = BigInt(value);
  return n < 0n ? `-0x${(-n).toString(16).toUpperCase()}` : `0x${n.toString(16).toUpperCase().padStart(digits, '0')}`;
}

function formatBytesHex(hex: string): string {
  return hex.replace(/(..)(?=.)/g, '$1 ').toUpperCase();
}

export function fieldValue(name: string, value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const field = eventFields[name];
  if (name === 'data' || name === 'context') return formatBytesHex(String(value));
  if (!field) return String(value);
  const integral = typeof value === 'number' ? Number.isInteger(value) : /^-?\d+$/.test(value);
  if (field.hex > 0 && integral) return formatHex(value, field.hex);
  return field.unit === '' ? String(value) : `${value} ${UNIT_SIGN[field.unit] ?? field.unit}`;
}
