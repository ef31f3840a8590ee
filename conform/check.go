package conform

// check is one thing that the contract says.
type check struct {
	section, name string
	fn            func(*T, *cast)
	nodes         int  // that it needs; 0 is one
	waits         bool // mostly waits, and so runs beside the others
}

// checks is the table of contents. Those that only wait come first, to run beside the
// rest.
func checks() []check {
	all := []check{
		{section: "§5", name: "a client that does not authenticate is closed with 4501", fn: authTimeout, waits: true},
		{section: "§5", name: "the server pings", fn: pings, waits: true},
		{section: "§6", name: "a quiet stream has comments", fn: streamComments, waits: true},
	}
	for _, part := range [][]check{promiseChecks(), ruleChecks(), restChecks(), socketChecks(), otherChecks(), abuseChecks(), nodeChecks()} {
		all = append(all, part...)
	}
	return all
}

func promiseChecks() []check {
	return []check{
		{section: "§2", name: "an acknowledged message is there", fn: ackIsDurable},
		{section: "§2", name: "the same key stores one message, by WebSocket and REST", fn: onceByBothWays},
		{section: "§2", name: "the same key at the same time stores one message", fn: onceAtOnce},
		{section: "§2", name: "every member sees one order without holes", fn: oneOrder},
		{section: "§2", name: "removed is removed", fn: removedIsRemoved},
		{section: "§2", name: "the events fold to the history", fn: historyIsStream},
	}
}

func ruleChecks() []check {
	return []check{
		{section: "§3", name: "a key has 1 to 64 characters of 0x21 to 0x7E", fn: keyForm},
		{section: "§3", name: "a key with other content is key_reused", fn: keyReused},
		{section: "§3", name: "ids are UUIDv7, times UTC with milliseconds", fn: idsAndTimes},
		{section: "§3", name: "REST refuses JSON that is not strict", fn: strictREST},
		{section: "§3", name: "WebSocket refuses JSON that is not strict", fn: strictSocket},
		{section: "§3", name: "message bodies have at most body_bytes", fn: bodyLimit},
		{section: "§3", name: "frames have limits by phase, else 1009", fn: frameLimits},
		{section: "§3", name: "invalid UTF-8 closes 1007", fn: invalidUTF8},
		{section: "§3", name: "binary closes 4502", fn: binary},
		{section: "§3", name: "what is not a JSON object closes 4502", fn: notJSON},
		{section: "§3", name: "401 is a problem with WWW-Authenticate; no token in a URL", fn: unauthenticated},
		{section: "§3", name: "405 carries Allow", fn: methodNotAllowed},
		{section: "§3", name: "415 for what is not application/json", fn: mediaType},
		{section: "§3", name: "413 for a large body", fn: tooLarge},
		{section: "§3", name: "404 is a problem", fn: unknownPath},
		{section: "§3", name: "a WebSocket error carries the problem", fn: socketProblem},
		{section: "§3", name: "what a user may not see is not_found", fn: notLeaked},
		{section: "§3", name: "sends are limited, replays are not", fn: rateLimited},
		{section: "§3", name: "a client that ignores rate_limited is closed with 4005", fn: closesRateLimited},
		{section: "§3", name: "limit is 1 to 200, after is checked", fn: listLimits},
		{section: "§3", name: "limit is 50 by default", fn: defaultLimit},
		{section: "§3", name: "lists are complete, page by page", fn: paging},
		{section: "§3", name: "the list of chats is complete, newest activity first", fn: chatPaging},
		{section: "§3", name: "the cookie is a credential", fn: byCookie},
		{section: "§3", name: "unsafe requests of other origins are refused", fn: crossOrigin},
		{section: "§3", name: "WebSocket and SSE check Origin", fn: originOfSockets},
		{section: "§3", name: "other names are refused", fn: otherNames},
		{section: "§3", name: "there are no CORS headers", fn: noCORS},
	}
}

func restChecks() []check {
	return []check{
		{section: "§4", name: "sign-up has rules", fn: signUp},
		{section: "§4", name: "a profile can be changed and found, and users come by id", fn: profile},
		{section: "§4", name: "a password can be changed", fn: password},
		{section: "§4", name: "log-in and log-out", fn: logIn},
		{section: "§4", name: "a revoked session's connections close with 4500", fn: revocation},
		{section: "§4", name: "an entry has its fields", fn: entryShape},
		{section: "§4", name: "a chat is created once", fn: createChat},
		{section: "§4", name: "direct chats have rules", fn: direct},
		{section: "§4", name: "admins can change a chat", fn: updateChat},
		{section: "§4", name: "an archived chat accepts no messages", fn: archived},
		{section: "§4", name: "public chats can be browsed and joined", fn: publicChats},
		{section: "§4", name: "members join and leave", fn: members},
		{section: "§4", name: "roles limit what members may do", fn: roles},
		{section: "§4", name: "muting is private", fn: muted},
		{section: "§4", name: "messages are sent and replied to", fn: send},
		{section: "§4", name: "messages are edited by version", fn: edit},
		{section: "§4", name: "deleted text never comes back", fn: deletion},
		{section: "§4", name: "unread counts others' messages", fn: unread},
		{section: "§4", name: "mentions are parsed and counted", fn: mentions},
		{section: "§4", name: "the history is read before, after and around", fn: historyPages},
		{section: "§4", name: "the log has every event", fn: log},
		{section: "§4", name: "reactions are counted once", fn: reactions},
		{section: "§4", name: "a message has at most 50 emoji", fn: manyReactions},
		{section: "§4", name: "cursors move forward", fn: cursors},
		{section: "§4", name: "search finds what a user may see", fn: search},
		{section: "§4", name: "presence is shown to those who share a chat", fn: presence},
		{section: "§4", name: "openapi.json, asyncapi.json and docs", fn: documents},
	}
}

func socketChecks() []check {
	return []check{
		{section: "§5", name: "the subprotocol may be offered", fn: subprotocol},
		{section: "§5", name: "hello announces the limits", fn: hello},
		{section: "§5", name: "auth by command", fn: authCommand},
		{section: "§5", name: "a resume comes in order", fn: resumeOrder},
		{section: "§5", name: "a resume is lossless", fn: resumeLossless},
		{section: "§5", name: "a resume says reset, and why", fn: resumeResets},
		{section: "§5", name: "a resume amid sends has no holes or duplicates", fn: noDoubles},
		{section: "§5", name: "an invalid resume is refused", fn: resumeRefused},
		{section: "§5", name: "a second resume closes 4502", fn: secondResume},
		{section: "§5", name: "too many connections of one user close 4504", fn: tooMany},
		{section: "§5", name: "chats frames have at most 64 KiB", fn: chatsFrames},
		{section: "§5", name: "chat.joined and chat.left", fn: joinedAndLeft},
		{section: "§5", name: "every command is answered", fn: commands},
		{section: "§5", name: "commands take effect in the order sent", fn: inOrder},
		{section: "§5", name: "typing is shown", fn: typing},
		{section: "§5", name: "others' cursors are shown", fn: othersCursors},
	}
}

func otherChecks() []check {
	return []check{
		{section: "§6", name: "the stream has hello, chats, ready, events, tokens", fn: streamFrames},
		{section: "§6", name: "a token resumes, by SSE and WebSocket", fn: streamResume},
		{section: "§6", name: "a token that the server does not know leads to resets", fn: streamNonsense},
		{section: "§6", name: "the stream follows membership", fn: streamMembership},
		{section: "§7", name: "the health endpoints", fn: healthPaths},
		{section: "§8", name: "administration is for administrators", fn: administration},
		{section: "§8", name: "a stranger's chat is a request until it is accepted or used", fn: requests},
		{section: "§8", name: "a direct chat can be declined, and begun again", fn: declinedDirect},
		{section: "§8", name: "a block keeps somebody away", fn: blocking},
		{section: "§8", name: "a hidden chat is out of the list until its next message", fn: hiding},
	}
}

// abuseChecks are of what those meet who try again and again, and of what keeps others out.
func abuseChecks() []check {
	return []check{
		{section: "§8", name: "guesses cost a wait, which its owner need not share", fn: guessing},
		{section: "§8", name: "to join and leave again and again is refused", fn: toggling},
		{section: "§8", name: "too many frames before authentication close 4005", fn: earlyFrames},
		{section: "§8", name: "too many pings close 4005", fn: manyPings},
		{section: "§8", name: "answers are for this site and for who asked", fn: guarded},
		{section: "§8", name: "odd paths are not found, and never redirected", fn: oddPaths},
	}
}

func nodeChecks() []check {
	return []check{
		{section: "§2", name: "nodes: what one accepts the other delivers", fn: nodesDeliver, nodes: 2},
		{section: "§2", name: "nodes: one order on both", fn: nodesOrder, nodes: 2},
		{section: "§2", name: "nodes: the same key on both stores one message", fn: nodesOnce, nodes: 2},
		{section: "§2", name: "nodes: a resume on the other is lossless", fn: nodesResume, nodes: 2},
		{section: "§2", name: "nodes: removed is removed on both", fn: nodesRemove, nodes: 2},
		{section: "§4", name: "nodes: revoking on one closes on the other", fn: nodesRevoke, nodes: 2},
		{section: "§5", name: "nodes: joining on one shows on the other", fn: nodesJoin, nodes: 2},
		{section: "§8", name: "nodes: a block on one holds on the other", fn: nodesBlock, nodes: 2},
		{section: "§5", name: "nodes: typing and presence show on the other", fn: nodesTell, nodes: 2},
	}
}
