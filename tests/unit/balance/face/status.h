/* SPDX-License-Identifier: ISC
 *
 * A director's status as the face and its tests know it, written out whole: two services, one of
 * them in trouble.
 */
#ifndef TEST_FACE_STATUS_H
#define TEST_FACE_STATUS_H

/* clang-format off */
static const char recorded_status[] =
"{'version': '0.1.0', 'started': '2026-11-21T06:00:00Z', 'now': '2026-11-21T07:00:00Z', 'dry_run': true,"
" 'configuration': '/etc/drover/lvs.conf',"
" 'alerts': ["
"  {'service': 'web', 'kind': 'held', 'since': '2026-11-21T06:59:00Z', 'text': 'b is held'},"
"  {'service': 'dns', 'kind': 'set-aside', 'since': '2026-11-21T06:59:00Z', 'text': 'a new list was set aside'}],"
" 'services': ["
"  {'name': 'web', 'protocol': 'tcp', 'address': '192.0.2.1', 'port': 80, 'scheduler': 'wrr', 'forward': 'dr',"
"   'depool_threshold': '.5', 'can_depool': false, 'can_serve': true, 'route': 'announced', 'needed': 2, 'counting': 1,"
"   'left': 5, 'kept': 2,"
"   'list': {'url': 'file:///etc/web', 'read': '2026-11-21T06:00:00Z', 'problem': null, 'set_aside': null, 'version': 0},"
"   'servers': ["
"    {'host': 'a', 'address': '10.0.0.1', 'enabled': true, 'ready': true, 'up': true, 'maintenance': false,"
"     'checked': true, 'pooled': true, 'held': false, 'drain': 'none', 'weight': 10, 'current_weight': 10,"
"     'since': '2026-11-21T06:00:00Z', 'last_check': '2026-11-21T06:59:58Z', 'why': 'ProxyFetch: 200 in 3 ms',"
"     'active': 3, 'inactive': 12, 'monitors': ["
"      {'name': 'ProxyFetch', 'verdict': 'passing', 'good': true, 'at': '2026-11-21T06:59:58Z', 'why': '200 in 3 ms',"
"       'took_us': 3000, 'up_results': 7, 'down_results': 2, 'up_transitions': 1, 'down_transitions': 1}]},"
"    {'host': 'b', 'address': '10.0.0.2', 'enabled': true, 'ready': true, 'up': false, 'maintenance': false,"
"     'checked': true, 'pooled': true, 'held': true, 'drain': 'none', 'weight': 20, 'current_weight': 20,"
"     'since': '2026-11-21T06:59:00Z', 'last_check': '2026-11-21T06:59:57Z', 'why': 'ProxyFetch: refused',"
"     'active': 0, 'inactive': 1, 'monitors': ["
"      {'name': 'ProxyFetch', 'verdict': 'failing', 'good': false, 'at': '2026-11-21T06:59:57Z', 'why': 'refused',"
"       'took_us': 250, 'up_results': 0, 'down_results': 4, 'up_transitions': 0, 'down_transitions': 1}]},"
"    {'host': 'c', 'address': null, 'enabled': false, 'ready': false, 'up': true, 'maintenance': false,"
"     'checked': false, 'pooled': false, 'held': false, 'drain': 'draining', 'weight': 10, 'current_weight': 0,"
"     'since': '2026-11-21T06:00:00Z', 'last_check': null, 'why': 'no address', 'active': 0, 'inactive': 0,"
"     'monitors': [{'name': 'ProxyFetch', 'verdict': 'unchecked', 'good': false, 'at': null, 'why': null}]}]},"
"  {'name': 'dns', 'protocol': 'udp', 'address': '2001:db8::1', 'port': 53, 'scheduler': 'rr', 'forward': 'dr',"
"   'depool_threshold': '0', 'can_depool': true, 'can_serve': false, 'route': 'withdrawn', 'needed': 0, 'counting': 0,"
"   'list': {'url': 'file:///etc/dns', 'read': '2026-11-21T06:00:00Z', 'problem': null,"
"            'set_aside': {'since': '2026-11-21T06:59:00Z', 'why': 'it is empty', 'servers': 0}, 'version': 0},"
"   'servers': []}],"
" 'figures': {'checks': {'started': 100, 'up': 60, 'down': 30, 'maintenance': 1, 'delayed': 2, 'sockets': 3,"
"                        'sockets_peak': 7, 'checks': 3, 'watchers': 4},"
"             'kernel': {'reconciles': 60, 'repairs': 1, 'changes': 12, 'errors': 0, 'last_reconcile_us': 1500,"
"                        'draining': 1}}}";
/* clang-format on */

#endif
