package indextest

func testWords(f *fixture) {
	f.say("The quick brown fox", "a lazy dog", "Quick! Call the dog.", "foxglove")
	f.finds(words("quick"), 0, 2)
	f.finds(words("QUICK"), 0, 2)
	f.finds(words("dog"), 1, 2)
	f.finds(words("quick", "dog"), 2)
	f.finds(words("dog", "quick"), 2)
	f.finds(words("fox"), 0)
	f.finds(words("the"), 0, 2)
	f.finds(words("a"), 1)
	f.finds(words("quick", "cat"))
	f.finds(words("qui"))
	f.finds(words("running"))
}

func testPrefix(f *fixture) {
	f.say("deployment tomorrow", "deploy tonight", "the deputy is late", "tomorrow we depart", "nothing")
	f.finds(prefix("dep"), 0, 1, 2, 3)
	f.finds(prefix("deploy"), 0, 1)
	// With one letter less an engine may take it for "deploy" with a wrong letter.
	f.finds(prefix("Deployme"), 0)
	f.finds(prefix("tomorrow", "dep"), 0, 3)
	f.finds(prefix("tom", "dep"))
	f.finds(prefix("d"), 0, 1, 2, 3)
	f.finds(words("dep"))
}

func testTypos(f *fixture) {
	f.say("kubernetes restarts", "the server room", "cats and dogs")
	f.finds(words("kubernetes"), 0)
	f.finds(words("kubernetas"), 0)
	f.finds(words("kubrnetes"), 0)
	f.finds(words("kubernnetes"), 0)
	f.finds(words("servor"), 1)
	f.finds(words("serverr", "room"), 1)
	f.finds(words("cars"))
	f.finds(words("roam"))
	f.finds(words("dags"))
	f.finds(words("elephant"))
}

func testPhrases(f *fixture) {
	// Engines may differ on whether words separated by a comma are side by side.
	f.say("the release is ready now", "ready is the release", "the release is it ready?", "release ready")
	f.finds(phrases("release is ready"), 0)
	f.finds(phrases("Release Is"), 0, 2)
	f.finds(phrases("the release"), 0, 1, 2)
	f.finds(phrases("release ready"), 3)
	f.finds(phrases("the release", "ready now"), 0)
	f.finds(phrases("ready"), 0, 1, 2, 3)
	f.finds(phrases("relaese is ready"))
	f.finds(phrases("now ready"))
	both := phrases("the release")
	both.Words = []string{"ready"}
	f.finds(both, 0, 1, 2)
	both.Words = []string{"now"}
	f.finds(both, 0)
}

func testChinese(f *fixture) {
	f.say("今天下午升级数据库", "我有一只猫", "明天开会讨论升级方案", "天气很好")
	f.finds(words("数据库"), 0)
	f.finds(words("升级"), 0, 2)
	f.finds(words("升级", "数据库"), 0)
	f.finds(words("猫"), 1)
	f.finds(words("天气"), 3)
	f.finds(prefix("升级"), 0, 2)
	f.finds(words("狗"))
	f.finds(words("电影"))
	f.finds(phrases("升级数据库"), 0)
}

func testJapanese(f *fixture) {
	f.say("東京タワーに行きました", "ありがとうございます", "明日はカメラを買う")
	f.finds(words("タワー"), 0)
	f.finds(words("東京"), 0)
	f.finds(words("ありがとう"), 1)
	f.finds(words("カメラ"), 2)
	f.finds(words("テレビ"))
}

func testKorean(f *fixture) {
	f.say("내일 회의 있어요", "오늘 날씨가 좋다", "서울에서 만나요")
	f.finds(words("회의"), 0)
	f.finds(words("내일", "회의"), 0)
	f.finds(words("날씨"), 1)
	f.finds(words("서울"), 2)
	f.finds(words("부산"))
}

func testMixed(f *fixture) {
	f.say("今晚升级Docker到新版本", "Docker is down", "升级完成", "用 Go 写的 server")
	f.finds(words("docker"), 0, 1)
	f.finds(words("升级"), 0, 2)
	f.finds(words("升级", "Docker"), 0)
	f.finds(words("升级Docker"), 0)
	f.finds(prefix("升级", "Dock"), 0)
	f.finds(words("server"), 3)
	f.finds(words("go"), 3)
}

func testOtherScripts(f *fixture) {
	f.say("Привет, как дела?", "Καλημέρα κόσμε", "مرحبا بالعالم", "שלום עולם", "สวัสดีครับ")
	f.finds(words("привет"), 0)
	f.finds(words("ДЕЛА"), 0)
	f.finds(words("κόσμε"), 1)
	f.finds(words("مرحبا"), 2)
	f.finds(words("שלום"), 3)
	f.finds(words("สวัสดี"), 4)
}

func testEmoji(f *fixture) {
	f.say("shipped 🎉", "🎉🎉 party", "👍", "no picture")
	f.finds(words("🎉"), 0, 1)
	f.finds(words("👍"), 2)
	f.finds(words("shipped", "🎉"), 0)
	f.finds(words("🚀"))
}

func testURLs(f *fixture) {
	f.say("see https://example.org/docs/page for more", "http://other.net/docs", "example of nothing")
	f.finds(words("https://example.org/docs/page"), 0)
	f.finds(words("example.org"), 0)
	f.finds(words("docs"), 0, 1)
	f.finds(words("page"), 0)
	f.finds(words("other.net"), 1)
	f.finds(prefix("https://example.org/do"), 0)
}

func testMentions(f *fixture) {
	f.say("ask @alice about it", "@bob @alice_smith", "malice")
	f.finds(words("@bob"), 1)
	f.finds(words("bob"), 1)
	f.finds(prefix("@ali"), 0, 1)
	f.finds(words("ask", "@alice"), 0)
	f.finds(words("ask", "alice"), 0)
}

func testDiacritics(f *fixture) {
	f.say("un café crème", "cafe au lait", "Ünïcödé", "cafe\u0301 noir", "Łódź")
	f.finds(words("cafe"), 0, 1, 3)
	f.finds(words("café"), 0, 1, 3)
	f.finds(words("CAFÉ"), 0, 1, 3)
	f.finds(words("creme"), 0)
	f.finds(words("unicode"), 2)
	f.finds(words("ÜNÏCÖDÉ"), 2)
}
